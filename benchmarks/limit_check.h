/* Around the fold of limit.c: the calendar, reading trades, the checksum over its answer. */
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

static int by_units(const void *a, const void *b) { /* pieces of an acquisition do not overlap */
    const Lot *x = *(Lot *const *)a, *y = *(Lot *const *)b;
    return x->order != y->order ? x->order - y->order : (x->offset > y->offset) - (x->offset < y->offset);
}

static long check(Book *book) {
    Lots open = {0};
    for (int i = 0; i < book->rows.count; i++) {
        Row *r = &book->rows.at[i];
        mix((u64)r->ref), mix((u64)r->lot), mix((u64)r->account);
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
    if (open.count) qsort(open.at, (size_t)open.count, sizeof *open.at, by_units);
    for (int i = 0; i < open.count; i++) {
        Lot *lot = open.at[i];
        mix((u64)lot->ref), mix((u64)lot->account), mix_units(lot->quantity);
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
