/* What limit.c stands on: growing arrays and 192-bit money with the engine's divisions. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>


typedef uint64_t u64;
typedef unsigned __int128 u128;
typedef struct { u64 l[3]; } Money;

#define VECTOR(T, V) typedef struct { T *at; int count, room, head; } V
#define GROW(v) do { if ((v).count == (v).room) { (v).room = (v).room ? 2 * (v).room : 8; \
    (v).at = realloc((v).at, (size_t)(v).room * sizeof *(v).at); if (!(v).at) abort(); } } while (0)
#define PUSH(v, x) do { GROW(v); (v).at[(v).count++] = (x); } while (0)
#define INSERT(v, i, x) do { GROW(v); memmove((v).at + (i) + 1, (v).at + (i), \
    (size_t)((v).count - (i)) * sizeof *(v).at); (v).at[i] = (x); (v).count++; } while (0)

static Money add(Money a, Money b) {
    u128 t = (u128)a.l[0] + b.l[0];
    a.l[0] = (u64)t; t = (t >> 64) + a.l[1] + b.l[1];
    a.l[1] = (u64)t; a.l[2] += b.l[2] + (u64)(t >> 64);
    return a;
}

static Money sub(Money a, Money b) {
    u128 t = (u128)a.l[0] - b.l[0];
    a.l[0] = (u64)t; t = (u128)a.l[1] - b.l[1] - ((u64)(t >> 64) & 1);
    a.l[1] = (u64)t; a.l[2] -= b.l[2] + ((u64)(t >> 64) & 1);
    return a;
}

static int less(Money a, Money b) {
    for (int i = 2; i > 0; i--) if (a.l[i] != b.l[i]) return a.l[i] < b.l[i];
    return a.l[0] < b.l[0];
}

static u64 divide(u64 high, u64 low, u64 by, u64 *rest) { /* high < by */
#if defined(__x86_64__)
    u64 quotient;
    __asm__("divq %4" : "=a"(quotient), "=d"(*rest) : "0"(low), "1"(high), "r"(by) : "cc");
    return quotient;
#else
    u128 whole = ((u128)high << 64) | low;
    *rest = (u64)(whole % by);
    return (u64)(whole / by);
#endif
}

static Money part(Money a, u64 units, u64 of) { /* floor(a * units / of), units <= of */
    u64 p[4];
    u128 t = 0;
    if (units == of) return a;
    for (int i = 0; i < 3; i++) t += (u128)a.l[i] * units, p[i] = (u64)t, t >>= 64;
    u64 rest = (u64)t;
    for (int i = 2; i >= 0; i--) a.l[i] = divide(rest, p[i], of, &rest);
    return a;
}

static Money scaled(u64 amount) { /* 10^-10 dollars to 10^-36 */
    u128 scale = (u128)10000000000000ULL * 10000000000000ULL;
    u128 low = (u128)amount * (u64)scale, high = (u128)amount * (u64)(scale >> 64) + (u64)(low >> 64);
    return (Money){{(u64)low, (u64)high, (u64)(high >> 64)}};
}
