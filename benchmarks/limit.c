/* The limit: the engine's fold of buys and sells in C, row for row (domain/book.py, selling.py,
 * wash_sales.py). FIFO pools by account, losses and purchases matched both ways within 30 days,
 * replacement lots split off, basis moved, holding periods tacked.
 *
 * Quantities are 64-bit in 10^-8 units, money 192-bit in 10^-36 dollars, so that every division
 * has the engine's own remainder. Usage: limit FILE RUNS; prints one line of figures. Timed is
 * the fold alone; the checksum over every row, match and open lot comes after it. */
#include "limit.h"

typedef struct { uint32_t book, account, day, sells; u64 quantity, amount, fee; } Record;
typedef struct { Money amount, fee; u64 quantity; uint32_t book, account, day, sells; } Event;
typedef struct Lot {
    Money basis;
    u64 quantity, offset;
    int ref, account, acquired, order, serial, used, picked;
} Lot;
typedef struct {
    Money proceeds, basis, wash, open_loss;
    u64 quantity, open_quantity;
    int serial, ref, lot, account, acquired, sold, order, is_long;
} Row;
typedef struct { Money disallowed; u64 quantity; int loss, lot, account, bought, tacked; } Match;
typedef struct { int acquired, order, serial; u64 offset; Lot *lot; } Key;

VECTOR(Key, Keys); VECTOR(Lot *, Lots); VECTOR(int, Ints); VECTOR(Row, Rows); VECTOR(Match, Matches);
typedef struct { int order, day; Lots pieces; } Purchase;
VECTOR(Purchase, Purchases);

typedef struct {
    Keys heap[2];
    u64 held[2];
    Purchases recent;
    Ints losses;
    Rows rows;
    Matches matches;
    int next_order, next_serial;
} Book;

enum { WINDOW = 30, DAYS = 800000, CHUNK = 4096 };
static int *first_long, overdrawn;
static Lots selling;
static Lot *arena[1 << 16];
static int arena_chunks, arena_used = CHUNK, arena_next;

static Lot *new_lot(void) {
    if (arena_used == CHUNK) {
        if (arena_next == arena_chunks) arena[arena_chunks++] = malloc(CHUNK * sizeof(Lot));
        arena_next++, arena_used = 0;
    }
    return &arena[arena_next - 1][arena_used++];
}

static int before(const Key *a, const Key *b) {
    if (a->order != b->order) return a->order < b->order;
    if (a->acquired != b->acquired) return a->acquired < b->acquired;
    if (a->offset != b->offset) return a->offset < b->offset;
    return a->serial < b->serial;
}

static void heap_push(Keys *heap, Lot *lot) {
    Key key = {lot->acquired, lot->order, lot->serial, lot->offset, lot};
    PUSH(*heap, key);
    int i = heap->count - 1;
    while (i && before(&key, &heap->at[(i - 1) / 2])) heap->at[i] = heap->at[(i - 1) / 2], i = (i - 1) / 2;
    heap->at[i] = key;
}

static void heap_pop(Keys *heap) {
    Key last = heap->at[--heap->count];
    int i = 0, child;
    while ((child = 2 * i + 1) < heap->count) {
        if (child + 1 < heap->count && before(&heap->at[child + 1], &heap->at[child])) child++;
        if (!before(&heap->at[child], &last)) break;
        heap->at[i] = heap->at[child], i = child;
    }
    heap->at[i] = last;
}

static Lot *split_off(Book *book, Lot *lot, u64 units) {
    Lot *first = new_lot();
    *first = *lot;
    first->quantity = units;
    first->basis = part(lot->basis, units, lot->quantity);
    first->serial = book->next_serial++;
    lot->quantity -= units;
    lot->basis = sub(lot->basis, first->basis);
    lot->offset += units;
    return first;
}

static void match(Book *book, Row *loss, Lot *lot, int bought) {
    u64 units = lot->quantity < loss->open_quantity ? lot->quantity : loss->open_quantity;
    Money disallowed = part(loss->open_loss, units, loss->open_quantity);
    int tacked = loss->sold - loss->acquired;
    loss->open_quantity -= units;
    loss->open_loss = sub(loss->open_loss, disallowed);
    loss->wash = add(loss->wash, disallowed);
    Lot *matched = split_off(book, lot, units);
    matched->used = 1;
    matched->basis = add(matched->basis, disallowed);
    matched->acquired -= tacked;
    if (lot->picked) {
        int at = 0;
        while (selling.at[at] != lot) at++;
        INSERT(selling, at, matched);
    } else heap_push(&book->heap[lot->account], matched);
    PUSH(book->matches, ((Match){disallowed, units, loss->serial, lot->ref, lot->account, bought, tacked}));
}

static void expire(Purchases *recent, int horizon) {
    while (recent->head < recent->count && recent->at[recent->head].day < horizon)
        free(recent->at[recent->head++].pieces.at);
    if (recent->head > 32 && 2 * recent->head > recent->count) {
        recent->count -= recent->head;
        memmove(recent->at, recent->at + recent->head, (size_t)recent->count * sizeof *recent->at);
        recent->head = 0;
    }
}

static void buy(Book *book, const Event *event, int ref) {
    Lot *lot = new_lot();
    int day = (int)event->day;
    *lot = (Lot){add(event->amount, event->fee), event->quantity, 0, ref, (int)event->account, day,
                 book->next_order++, book->next_serial++, 0, 0};
    book->held[lot->account] += lot->quantity;
    Ints *losses = &book->losses;
    Row *rows = book->rows.at;
    while (losses->head < losses->count && (rows[losses->at[losses->head]].sold < day - WINDOW
                                            || !rows[losses->at[losses->head]].open_quantity)) losses->head++;
    for (int i = losses->head; i < losses->count && lot->quantity; i++)
        if (rows[losses->at[i]].open_quantity) match(book, &rows[losses->at[i]], lot, day);
    expire(&book->recent, day - WINDOW);
    if (!lot->quantity) return;
    Purchase purchase = {lot->order, day, {0}};
    PUSH(purchase.pieces, lot);
    PUSH(book->recent, purchase);
    heap_push(&book->heap[lot->account], lot);
}

static void lost(Book *book, int at) {
    Row *loss = &book->rows.at[at];
    Purchases *recent = &book->recent;
    expire(recent, loss->sold - WINDOW);
    for (int i = recent->head; i < recent->count && loss->open_quantity; i++) {
        Purchase *purchase = &recent->at[i];
        Lots *pieces = &purchase->pieces;
        int kept = 0;
        if (purchase->order == loss->order) continue;
        for (int j = 0; j < pieces->count; j++) {
            Lot *piece = pieces->at[j];
            if (piece->quantity && loss->open_quantity) match(book, loss, piece, purchase->day);
            if (piece->quantity) pieces->at[kept++] = piece;
        }
        pieces->count = kept;
    }
    if (loss->open_quantity) PUSH(book->losses, at);
}

static void sell_lot(Book *book, const Event *event, int ref, Lot *lot, u64 units, Money proceeds) {
    Money basis = part(lot->basis, units, lot->quantity);
    int day = (int)event->day, losing = less(proceeds, basis);
    lot->basis = sub(lot->basis, basis);
    lot->quantity -= units;
    lot->offset += units;
    Row row = {proceeds, basis, {{0}}, {{0}}, units, 0, book->next_serial++, ref, lot->ref, lot->account,
               lot->acquired, day, lot->order, day >= first_long[lot->acquired]};
    if (losing) row.open_quantity = units, row.open_loss = sub(basis, proceeds);
    PUSH(book->rows, row);
    if (losing) lost(book, book->rows.count - 1);
}

static Lot *carved(Book *book, Lot *lot, u64 units) {
    if (units < lot->quantity) {
        Lot *first = split_off(book, lot, units);
        Purchases *recent = &book->recent;
        int i = recent->count - 1;
        while (!lot->used && i >= recent->head && recent->at[i].order > lot->order) i--;
        if (!lot->used && i >= recent->head && recent->at[i].order == lot->order) {
            Lots *pieces = &recent->at[i].pieces;
            int at = 0;
            while (at < pieces->count && pieces->at[at] != lot) at++;
            if (at < pieces->count) INSERT(*pieces, at, first);
        }
        lot = first;
    }
    lot->picked = 1;
    return lot;
}

static void sell(Book *book, const Event *event, int ref) {
    Keys *heap = &book->heap[event->account];
    Money proceeds = sub(event->amount, event->fee);
    u64 left = event->quantity, units;
    if (book->held[event->account] < left) { overdrawn++; return; }
    book->held[event->account] -= left;
    while (!heap->at[0].lot->quantity) heap_pop(heap);
    Lot *lot = heap->at[0].lot;
    if (lot->quantity >= left) {
        if (lot->quantity == left) heap_pop(heap);
        sell_lot(book, event, ref, lot, left, proceeds);
        return;
    }
    selling.count = 0;
    while (left) { /* first in, first out is by acquisition already */
        lot = heap->at[0].lot;
        units = lot->quantity < left ? lot->quantity : left;
        if (units == lot->quantity) heap_pop(heap);
        if (units) PUSH(selling, carved(book, lot, units));
        left -= units;
    }
    left = event->quantity;
    for (int i = 0; i < selling.count; i++) {
        lot = selling.at[i];
        units = lot->quantity;
        if (!units) continue;
        Money share = part(proceeds, units, left);
        proceeds = sub(proceeds, share);
        left -= units;
        sell_lot(book, event, ref, lot, units, share);
    }
}

static void fold(Book *books, const Event *events, int count) {
    for (int i = 0, ref = 0; i < count; i++) {
        ref = i && events[i].book == events[i - 1].book ? ref + 1 : 0;
        (events[i].sells ? sell : buy)(&books[events[i].book], &events[i], ref);
    }
}

/* ---- around the fold: calendar, checksum, reading, timing ---- */

static void calendar(void) { /* first_long[d]: the day after d, a year later (29 February: 1 March) */
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    first_long = malloc(DAYS * sizeof *first_long);
    for (int year = 1, day = 1; day < DAYS - 800; year++) {
        int leap = (year % 4 == 0 && year % 100) || year % 400 == 0, next = year + 1;
        int next_leap = (next % 4 == 0 && next % 100) || next % 400 == 0;
        for (int month = 0; month < 12; month++)
            for (int d = 1; d <= lengths[month] + (month == 1 && leap); d++, day++)
                first_long[day - 1] = day + 365 + (month > 1 ? next_leap : leap);
    }
}

static u64 sum;
static const u64 M61 = ((u64)1 << 61) - 1;
static void mix(u64 value) { sum = (u64)(((u128)sum * 1000003 + value) % M61); }
static void mix_units(u64 units) { mix((u64)((u128)units * 10000000000ULL % M61)); }
static void mix_money(Money m) { mix((u64)((m.l[0] + (u128)8 * m.l[1] + (u128)64 * m.l[2]) % M61)); }

static int by_serial(const void *a, const void *b) {
    return (*(Lot *const *)a)->serial - (*(Lot *const *)b)->serial;
}

static long check(Book *book) {
    Lots open = {0};
    for (int i = 0; i < book->rows.count; i++) {
        Row *r = &book->rows.at[i];
        mix((u64)r->serial), mix((u64)r->ref), mix((u64)r->lot), mix((u64)r->account);
        mix_units(r->quantity), mix_money(r->proceeds), mix_money(r->basis), mix_money(r->wash);
        mix((u64)r->acquired), mix((u64)r->sold), mix((u64)r->is_long), mix_units(r->open_quantity);
    }
    for (int i = 0; i < book->matches.count; i++) {
        Match *m = &book->matches.at[i];
        mix((u64)m->loss), mix((u64)m->lot), mix((u64)m->account), mix((u64)m->bought);
        mix_units(m->quantity), mix_money(m->disallowed), mix((u64)m->tacked);
    }
    for (int a = 0; a < 2; a++)
        for (int i = 0; i < book->heap[a].count; i++)
            if (book->heap[a].at[i].lot->quantity) PUSH(open, book->heap[a].at[i].lot);
    if (open.count) qsort(open.at, (size_t)open.count, sizeof *open.at, by_serial);
    for (int i = 0; i < open.count; i++) {
        Lot *lot = open.at[i];
        mix((u64)lot->serial), mix((u64)lot->ref), mix((u64)lot->account), mix_units(lot->quantity);
        mix_money(lot->basis), mix((u64)lot->acquired), mix((u64)lot->used);
    }
    free(open.at);
    return open.count;
}

static void discard(Book *book) {
    for (int i = book->recent.head; i < book->recent.count; i++) free(book->recent.at[i].pieces.at);
    free(book->recent.at), free(book->losses.at), free(book->rows.at), free(book->matches.at);
    free(book->heap[0].at), free(book->heap[1].at);
}

static Event *read_events(const char *name, int *count, int *books) {
    FILE *file = fopen(name, "rb");
    if (!file || fseek(file, 0, SEEK_END)) { perror(name); exit(2); }
    *count = (int)((size_t)ftell(file) / sizeof(Record));
    rewind(file);
    Event *events = malloc((size_t)(*count + 1) * sizeof *events);
    *books = 0;
    for (int i = 0; i < *count; i++) {
        Record r;
        if (fread(&r, sizeof r, 1, file) != 1) exit(2);
        events[i] = (Event){scaled(r.amount), scaled(r.fee), r.quantity, r.book, r.account, r.day, r.sells};
        if ((int)r.book >= *books) *books = (int)r.book + 1;
    }
    fclose(file);
    return events;
}

int main(int argc, char **argv) {
    int count, book_count, runs = argc > 2 ? atoi(argv[2]) : 1;
    long rows = 0, matches = 0, lots = 0;
    if (argc < 2) return 2;
    Event *events = read_events(argv[1], &count, &book_count);
    Book *books = calloc((size_t)book_count + 1, sizeof *books);
    calendar();
    printf("{\"seconds\": [");
    for (int run = 0; run < runs; run++) {
        struct timespec a, b;
        if (run) for (int i = 0; i < book_count; i++) discard(&books[i]);
        memset(books, 0, (size_t)book_count * sizeof *books);
        arena_next = 0, arena_used = CHUNK;
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a);
        fold(books, events, count);
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &b);
        printf("%s%.9f", run ? ", " : "", (double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) / 1e9);
    }
    for (int i = 0; i < book_count; i++) {
        lots += check(&books[i]);
        rows += books[i].rows.count, matches += books[i].matches.count;
    }
    printf("], \"rows\": %ld, \"matches\": %ld, \"lots\": %ld, \"overdrawn\": %d, \"checksum\": %llu, "
           "\"lot_bytes\": %zu}\n", rows, matches, lots, overdrawn, (unsigned long long)sum,
           sizeof(Lot) + sizeof(Key));
    return 0;
}
