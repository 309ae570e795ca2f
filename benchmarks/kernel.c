/* The algorithm of the fused engine by hand, as a yardstick of what its compiled program leaves on the table.

   Same arithmetic in the same order: R in triangular form, gap at every step, pass means, first hits, arrivals and departures, peak, fingerprint,
   divergence by limit, recorded steps and windows, the numbers of each run and of each step. But everything that can be is a constant of the translation unit:

   LANES    runs side by side       SINGLE   1 = float32          ADAM     1 = Adam, 0 = gradient descent
   P        parameters              BATCH    rows of a minibatch, 0 = all rows
   PASS     steps of a pass over the rows

   One group of V lanes takes a whole step before the next does: its numbers stay in registers where P is small, and in the first cache where it is
   not. */

#include <math.h>
#include <stdint.h>
#include <string.h>

#if SINGLE
typedef float real;
typedef int32_t bits;
#define SQRT sqrtf
#else
typedef double real;
typedef int64_t bits;
#define SQRT sqrt
#endif

#if __AVX512F__
enum { REGISTER = 64 };
#elif __AVX__
enum { REGISTER = 32 };
#else
enum { REGISTER = 16 };
#endif

enum { WIDEST = REGISTER / sizeof(real), V = LANES < WIDEST ? LANES : WIDEST, GROUPS = LANES / V };
enum { NUMBERS = ADAM ? 6 : 3, OF_STEP = ADAM ? 7 : 1, STATES = ADAM ? 2 : 0, ROWS = BATCH ? BATCH : 1 };
enum shape { UPPER, LOWER, DENSE };

typedef real vec __attribute__((vector_size(V * sizeof(real))));
typedef bits choice __attribute__((vector_size(V * sizeof(real))));
typedef double wide __attribute__((vector_size(V * 8)));
typedef int64_t mask __attribute__((vector_size(V * 8)));
typedef uint64_t word __attribute__((vector_size(V * 8)));

#define INLINE static inline __attribute__((always_inline))

struct call {
    int64_t tiles, steps, columns, records, goals_count, stream_length;
    const double *w_star; const real *R, *T; const double *R64;
    const real *X, *y; const int64_t *order, *starts; const real *factors; const int64_t *batches;
    real *W, *state; const real *numbers, *table; const int64_t *column, *record;
    double limit; const double *goals; double guard;
    const int64_t *windows;
    double *gaps, *sums, *ends; int64_t *hits, *arrivals, *bad; double *peak; uint64_t *mark; int64_t *stopped;
};

struct tile {
    vec w[GROUPS][P], before[GROUPS][P], m[GROUPS][P], v[GROUPS][P];
    double limit[LANES], enter[LANES], leave[LANES], peak[LANES];
    uint64_t mark[LANES];
    int64_t alive[LANES], arrived[LANES];
    double block[BATCH ? PASS : 1][LANES], since[LANES];
    real of_step[OF_STEP][LANES], X_rows[ROWS * P], X_rows_T[P * ROWS];
};

INLINE vec load(const real *from) { vec x; memcpy(&x, from, sizeof x); return x; }
INLINE wide load_wide(const double *from) { wide x; memcpy(&x, from, sizeof x); return x; }
INLINE mask load_mask(const int64_t *from) { mask x; memcpy(&x, from, sizeof x); return x; }
INLINE wide widened(vec x) { return __builtin_convertvector(x, wide); }
INLINE vec narrowed(wide x) { return __builtin_convertvector(x, vec); }
INLINE vec all(real x) { return x - (vec){0}; }
INLINE vec pick(choice c, vec a, vec b) { return (vec)(((choice)a & c) | ((choice)b & ~c)); }
INLINE wide pick_wide(mask c, wide a, wide b) { return (wide)(((mask)a & c) | ((mask)b & ~c)); }

INLINE vec root_of(vec x) {
    real r[V] __attribute__((aligned(64)));
    memcpy(r, &x, sizeof x);
    for (int l = 0; l < V; l++) r[l] = SQRT(r[l]);
    return load(r);
}

INLINE int any(mask c) {
    int64_t found = 0;
    for (int l = 0; l < V; l++) found |= c[l];
    return found != 0;
}

/* y[i : i + rows] = A[i : i + rows] x of one group: the sums stay in registers; without the zeros of a triangle */
#define BLOCK(name, number, vector, rows)                                                                                          \
    INLINE void name(const number *A, int i, int k, enum shape shape, const vector *x, vector *y) {                                \
        const number *a = A + i * k;                                                                                               \
        int j = shape == UPPER ? i : 0, end = shape == LOWER ? i + rows : k;                                                       \
        vector sum[rows];                                                                                                          \
        for (int r = 0; r < rows; r++) sum[r] = a[r * k + j] * x[j];                                                               \
        for (j++; j < end; j++)                                                                                                    \
            for (int r = 0; r < rows; r++) sum[r] += a[r * k + j] * x[j];                                                          \
        for (int r = 0; r < rows; r++) y[i + r] = sum[r];                                                                          \
    }

#define PRODUCT(name, number, vector)                                                                                              \
    BLOCK(name##_8, number, vector, 8)                                                                                             \
    BLOCK(name##_4, number, vector, 4)                                                                                             \
    BLOCK(name##_1, number, vector, 1)                                                                                             \
    INLINE void name(const number *A, int m, int k, enum shape shape, const vector *x, vector *y) {                                \
        int i = 0;                                                                                                                 \
        for (; i + 8 <= m; i += 8) name##_8(A, i, k, shape, x, y);                                                                 \
        for (; i + 4 <= m; i += 4) name##_4(A, i, k, shape, x, y);                                                                 \
        for (; i < m; i++) name##_1(A, i, k, shape, x, y);                                                                         \
    }

PRODUCT(product, real, vec)
PRODUCT(product_wide, double, wide)

INLINE wide gap_of(const struct call *c, const vec *w, vec *u) {
    vec e[P];
    for (int j = 0; j < P; j++) e[j] = narrowed(widened(w[j]) - c->w_star[j]);
    product(c->R, P, P, UPPER, e, u);
    wide gap = 0.5 * widened(u[0]) * widened(u[0]);
    for (int j = 1; j < P; j++) gap += 0.5 * widened(u[j]) * widened(u[j]);
    return gap;
}

static __attribute__((noinline)) void exact_gap(const struct call *c, const vec *w, wide *gap) {
    wide e[P], u[P];
    for (int j = 0; j < P; j++) e[j] = widened(w[j]) - c->w_star[j];
    product_wide(c->R64, P, P, UPPER, e, u);
    *gap = 0.5 * u[0] * u[0];
    for (int j = 1; j < P; j++) *gap += 0.5 * u[j] * u[j];
}

/* The goals that lane enters and leaves. */
static void settle(const struct call *c, struct tile *s, int64_t tile, int lane, int64_t t, double mean) {
    int64_t at = s->arrived[lane], *hits = c->hits + tile * c->goals_count * LANES + lane;
    int64_t *arrivals = c->arrivals + (tile * 2 + 1) * c->goals_count * LANES + lane;
    while (at > 0 && mean > 2 * c->goals[at - 1]) arrivals[--at * LANES] = -1;
    for (; at < c->goals_count && mean <= c->goals[at]; at++) {
        arrivals[at * LANES] = t;
        if (hits[at * LANES] < 0) hits[at * LANES] = t;
    }
    s->arrived[lane] = at;
    s->enter[lane] = at < c->goals_count ? c->guard * c->goals[at] : -INFINITY;
    s->leave[lane] = at > 0 ? 2 * c->goals[at - 1] / c->guard : INFINITY;
}

/* Goals and first bad states of the group that starts at lane `at`; returns how many lanes died. */
static __attribute__((noinline)) int note(const struct call *c, struct tile *s, int64_t tile, int at, int64_t t, const wide *gap, const wide *mean) {
    int died = 0;
    for (int l = 0; l < V; l++) {
        int lane = at + l;
        if ((*gap)[l] <= s->limit[lane]) {
            if ((*mean)[l] <= s->enter[lane] || (*mean)[l] > s->leave[lane]) settle(c, s, tile, lane, t, (*mean)[l]);
        } else if (s->alive[lane]) {
            died++, s->alive[lane] = 0, s->limit[lane] = s->enter[lane] = -INFINITY, s->leave[lane] = INFINITY;
            c->bad[tile * LANES + lane] = t;
            for (int j = 0; j < P; j++) c->W[(tile * P + j) * LANES + lane] = s->before[at / V][j][l];
        }
    }
    return died;
}

/* The mean gap of the last pass: a queue of two stacks. */
INLINE wide average(struct tile *s, int at, int64_t t, wide gap) {
    if (!BATCH) return gap;
    int i = t % PASS;
    if (i == 0) {
        wide sum = {0};
        for (int k = PASS - 1; k >= 0; k--) { sum += load_wide(s->block[k] + at); memcpy(s->block[k] + at, &sum, sizeof sum); }
        memset(s->since + at, 0, sizeof sum);
    }
    wide since = load_wide(s->since + at) + gap, total = since;
    if (t >= PASS && i + 1 < PASS) total += load_wide(s->block[i + 1] + at);
    memcpy(s->since + at, &since, sizeof since);
    memcpy(s->block[i] + at, &gap, sizeof gap);
    return total / (double)(t + 1 < PASS ? t + 1 : PASS);
}

INLINE void gather(const struct call *c, struct tile *s, int64_t tile, int64_t t, const int64_t **rows, int *size) {
    *rows = c->order + c->batches[tile] * c->stream_length + c->starts[t];
    *size = c->starts[t + 1] - c->starts[t];
    for (int i = 0; i < *size; i++)
        for (int j = 0; j < P; j++) s->X_rows[i * P + j] = s->X_rows_T[j * *size + i] = c->X[(*rows)[i] * P + j];
}

INLINE void sampled_gradient(const struct call *c, const struct tile *s, const int64_t *rows, int size, real factor, const vec *w, vec *g) {
    vec residual[ROWS];
    product(s->X_rows, size, P, DENSE, w, residual);
    for (int i = 0; i < size; i++) residual[i] = 2 * factor * (residual[i] - c->y[rows[i]]);
    product(s->X_rows_T, P, size, DENSE, residual, g);
}

INLINE void descend(const vec *n, const vec *of_step, const vec *g, vec *w) {
    vec lr = n[0] * of_step[0];
    for (int j = 0; j < P; j++) w[j] -= lr * (n[2] * g[j] + n[1] * w[j]);
}

INLINE void adam(const vec *n, const vec *of_step, const vec *gradient, vec *w, vec *m, vec *v) {
    vec decay = n[4] - n[0] * of_step[0] * n[3], lr = n[0] * of_step[5], share = of_step[1], back = of_step[2];
    choice from_m = share + back < 0;
    vec part = pick(from_m, share, back);
    for (int j = 0; j < P; j++) {
        vec g = n[5] * gradient[j] + n[2] * w[j];
        m[j] = pick(from_m, m[j], g) + part * (g - m[j]);
        v[j] = of_step[3] * v[j] + of_step[4] * g * g;
        w[j] = decay * w[j] - lr * m[j] / (root_of(v[j]) / of_step[6] + n[1]);
    }
}

INLINE void update(const struct call *c, struct tile *s, int64_t tile, int q, int64_t t, int64_t same, const vec *g) {
    vec n[NUMBERS], of_step[OF_STEP];
    for (int k = 0; k < NUMBERS; k++) n[k] = load(c->numbers + (tile * NUMBERS + k) * LANES + q * V);
    for (int k = 0; k < OF_STEP; k++)
        of_step[k] = same ? all(c->table[(t * OF_STEP + k) * c->columns + c->column[tile * LANES]]) : load(s->of_step[k] + q * V);
    memcpy(s->before[q], s->w[q], sizeof s->w[q]);
    if (ADAM) adam(n, of_step, g, s->w[q], s->m[q], s->v[q]);
    else descend(n, of_step, g, s->w[q]);
}

INLINE void steps_of(const struct call *c, struct tile *s, int64_t tile, int64_t same) {
    int64_t recorded = 0, dead = 0;
    const int64_t *rows = 0, *column = c->column + tile * LANES;
    int size = 0;
    for (int64_t t = 0; t <= c->steps && dead < LANES; t++) {
        int now = recorded < c->records && c->record[recorded] == t, last = t == c->steps;
        int within[2] = {c->windows[0] <= t && t <= c->windows[1], c->windows[2] <= t && t <= c->windows[3]};
        if (BATCH && !last) gather(c, s, tile, t, &rows, &size);
        for (int k = 0; k < OF_STEP && !same && !last; k++)
            for (int l = 0; l < LANES; l++) s->of_step[k][l] = c->table[(t * OF_STEP + k) * c->columns + column[l]];
        for (int q = 0; q < GROUPS; q++) {
            vec u[P], g[P];
            int at = q * V;
            wide gap, peak = load_wide(s->peak + at);
            if (SINGLE && BATCH) exact_gap(c, s->w[q], &gap);
            else gap = gap_of(c, s->w[q], u);
            mask finite = gap <= load_wide(s->limit + at);
            wide mean = average(s, at, t, gap);
            mask crossed = (mean <= load_wide(s->enter + at)) | (mean > load_wide(s->leave + at));
            int news = any((~finite | crossed) & load_mask(s->alive + at));
            peak = pick_wide(finite & (gap > peak), gap, peak);
            memcpy(s->peak + at, &peak, sizeof peak);
            word mark, mixed;
            memcpy(&mark, s->mark + at, sizeof mark);
            mixed = (mark ^ (word)gap) * 0x9E3779B97F4A7C15ull;
            mark = ((mixed ^ (mixed >> 32)) & (word)finite) | (mark & ~(word)finite);
            memcpy(s->mark + at, &mark, sizeof mark);
            if (__builtin_expect(news | now | within[0] | within[1], 0)) {
                wide true_gap = gap;
                if (SINGLE && !BATCH) exact_gap(c, s->w[q], &true_gap);
                if (news) dead += note(c, s, tile, at, t, &true_gap, BATCH ? &mean : &true_gap);
                for (int k = 0; k < 2; k++) {
                    double *sum = c->sums + (tile * 2 + k) * LANES + at;
                    for (int l = 0; l < V && within[k]; l++) sum[l] += true_gap[l];
                    if (t == c->windows[2 * k + 1]) memcpy(c->ends + (tile * 2 + k) * LANES + at, &true_gap, sizeof true_gap);
                }
                if (t == c->windows[1])
                    for (int64_t k = 0; k < c->goals_count; k++) {
                        int64_t *half = c->arrivals + (tile * 2 * c->goals_count + k) * LANES + at;
                        memcpy(half, half + c->goals_count * LANES, V * sizeof *half);
                    }
                for (int l = 0; l < V && now; l++)
                    c->gaps[(tile * c->records + recorded) * LANES + at + l] = true_gap[l] <= s->limit[at + l] ? true_gap[l] : INFINITY;
            }
            if (last) continue;
            if (BATCH) sampled_gradient(c, s, rows, size, c->factors[t], s->w[q], g);
            else product(c->T, P, P, LOWER, u, g);
            update(c, s, tile, q, t, same, g);
        }
        recorded += now;
    }
}

static void begin(const struct call *c, struct tile *s, int64_t tile) {
    for (int l = 0; l < LANES; l++)
        s->limit[l] = c->limit, s->enter[l] = c->guard * c->goals[0], s->leave[l] = INFINITY, s->arrived[l] = 0,
        s->peak[l] = c->peak[tile * LANES + l], s->mark[l] = 0, s->alive[l] = -1;
    for (int q = 0; q < GROUPS; q++)
        for (int j = 0; j < P; j++) {
            s->w[q][j] = load(c->W + (tile * P + j) * LANES + q * V);
            s->m[q][j] = STATES ? load(c->state + ((tile * P + j) * STATES + 0) * LANES + q * V) : all(0);
            s->v[q][j] = STATES ? load(c->state + ((tile * P + j) * STATES + 1) * LANES + q * V) : all(0);
        }
}

static void end(const struct call *c, struct tile *s, int64_t tile) {
    memcpy(c->peak + tile * LANES, s->peak, sizeof s->peak);
    memcpy(c->mark + tile * LANES, s->mark, sizeof s->mark);
    for (int l = 0; l < LANES; l++) {
        int same = 1;
        for (int j = 0; j < P; j++) same &= s->w[l / V][j][l % V] == s->before[l / V][j][l % V];
        c->stopped[tile * LANES + l] = s->alive[l] && same;
    }
    for (int l = 0; l < LANES; l++)
        for (int j = 0; j < P && s->alive[l]; j++) c->W[(tile * P + j) * LANES + l] = s->w[l / V][j][l % V];
}

void train(const struct call *c) {
    static struct tile s;
    for (int64_t tile = 0; tile < c->tiles; tile++) {
        int same = 1;
        for (int l = 1; l < LANES; l++) same &= c->column[tile * LANES + l] == c->column[tile * LANES];
        begin(c, &s, tile);
        if (same) steps_of(c, &s, tile, 1);
        else steps_of(c, &s, tile, 0);
        end(c, &s, tile);
    }
}
