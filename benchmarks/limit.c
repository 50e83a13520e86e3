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

static void sift_down(Keys *heap, Key key) { /* puts key where the top was */
    int i = 0, child;
    while ((child = 2 * i + 1) < heap->count) {
        if (child + 1 < heap->count && before(&heap->at[child + 1], &heap->at[child])) child++;
        if (!before(&heap->at[child], &key)) break;
        heap->at[i] = heap->at[child], i = child;
    }
    heap->at[i] = key;
}

static void heap_pop(Keys *heap) {
    Key last = heap->at[--heap->count];
    sift_down(heap, last);
}

static Lot *next_lot(Keys *heap) { /* the top with units left, its key as it is now */
    for (;;) {
        Key key = heap->at[0];
        if (!key.lot->quantity) heap_pop(heap);
        else if (key.offset != key.lot->offset) key.offset = key.lot->offset, sift_down(heap, key);
        else return key.lot;
    }
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
    PUSH(book->matches, ((Match){disallowed, units, (int)(loss - book->rows.at), lot->ref, lot->account, bought, tacked}));
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
    Lot *lot = next_lot(heap);
    if (lot->quantity >= left) {
        if (lot->quantity == left) heap_pop(heap);
        sell_lot(book, event, ref, lot, left, proceeds);
        return;
    }
    selling.count = 0;
    while (left) { /* first in, first out is by acquisition already */
        lot = next_lot(heap);
        units = lot->quantity < left ? lot->quantity : left;
        if (units == lot->quantity) heap_pop(heap);
        PUSH(selling, carved(book, lot, units));
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

#include "limit_check.h"

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
