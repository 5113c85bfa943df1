/* What the kernels by warpgroups share (wgmma: sm_90a alone): products whose right side, and for
 * scores whose left side too, lies in shared memory, and copies to there. Heads have 128 numbers.
 * Rows of 128 lie in two panels, 128 bytes of a row each, in the 128-byte swizzle. */
#ifndef SKV_KERNELS_CUDA_WGMMA_CUH
#define SKV_KERNELS_CUDA_WGMMA_CUH

#include "kernels/cuda/flash.cuh"

#define DIM       128
#define GROUP     (4 * WARP)
#define QUERIES   64 /* of a warpgroup */
#define PANEL_ROW 128
#define TILE      (2 * QUERIES * PANEL_ROW) /* bytes of a warpgroup's queries */

/* ------------------------------------------------------------------- products */

/* An address or a distance in shared memory as a descriptor has it; a distance may be added. */
#define ENCODED(bytes) ((uint64_t)((bytes) >> 4))

/* Where a side of a product begins in shared memory; bytes from one 8 rows of a panel to the next,
 * and (`leading`, for V, which is read along its rows) from panel to panel. PTX ISA, "Matrix
 * Descriptor Format". */
__device__ __forceinline__ uint64_t descriptor(unsigned address, unsigned leading)
{
    return ENCODED(address) | ENCODED(leading) << 16 | ENCODED(8 * PANEL_ROW) << 32 |
           (uint64_t)1 << 62;
}

__device__ __forceinline__ void begin_products()
{
    asm volatile("wgmma.fence.sync.aligned;\n" ::: "memory");
}

__device__ __forceinline__ void commit_products()
{
    asm volatile("wgmma.commit_group.sync.aligned;\n" ::: "memory");
}

/* Until at most the last LEFT committed ones are under way. */
template <int LEFT> __device__ __forceinline__ void await_products()
{
    asm volatile("wgmma.wait_group.sync.aligned %0;\n" ::"n"(LEFT) : "memory");
}

__device__ __forceinline__ void finish_products()
{
    commit_products();
    await_products<0>();
}

#define NAMES16 "%0,%1,%2,%3,%4,%5,%6,%7,%8,%9,%10,%11,%12,%13,%14,%15"
#define NAMES32 NAMES16 ",%16,%17,%18,%19,%20,%21,%22,%23,%24,%25,%26,%27,%28,%29,%30,%31"
#define NAMES48 NAMES32 ",%32,%33,%34,%35,%36,%37,%38,%39,%40,%41,%42,%43,%44,%45,%46,%47"
#define NAMES64 NAMES48 ",%48,%49,%50,%51,%52,%53,%54,%55,%56,%57,%58,%59,%60,%61,%62,%63"
#define NAMES80 NAMES64 ",%64,%65,%66,%67,%68,%69,%70,%71,%72,%73,%74,%75,%76,%77,%78,%79"
#define NAMES96 NAMES80 ",%80,%81,%82,%83,%84,%85,%86,%87,%88,%89,%90,%91,%92,%93,%94,%95"
#define NAMES112                                                                                   \
    NAMES96 ",%96,%97,%98,%99,%100,%101,%102,%103,%104,%105,%106,%107,%108,%109,%110,%111"
#define NAMES128                                                                                   \
    NAMES112 ",%112,%113,%114,%115,%116,%117,%118,%119,%120,%121,%122,%123,%124,%125,%126,%127"
#define FOUR(io, i)    io(d[i]), io(d[i + 1]), io(d[i + 2]), io(d[i + 3])
#define SIXTEEN(io, i) FOUR(io, i), FOUR(io, i + 4), FOUR(io, i + 8), FOUR(io, i + 12)
#define D32(io)        SIXTEEN(io, 0)
#define D64(io)        D32(io), SIXTEEN(io, 16)
#define D96(io)        D64(io), SIXTEEN(io, 32)
#define D128(io)       D96(io), SIXTEEN(io, 48)
#define D160(io)       D128(io), SIXTEEN(io, 64)
#define D192(io)       D160(io), SIXTEEN(io, 80)
#define D224(io)       D192(io), SIXTEEN(io, 96)
#define D256(io)       D224(io), SIXTEEN(io, 112)

/* d (64 queries, n) = or += a·b. When it accumulates, d is an in-out operand ("+f"); the first
 * product writes it only ("=f"), so that old values need no registers. `names`: constraints of d;
 * `sides`: of a and b; `flags`: signs, and the layout of b (and of a, in shared memory) */
#define MULTIPLY(n, names, sides, flags, ...)                                                      \
    do {                                                                                           \
        if constexpr (ADD)                                                                         \
            asm volatile("wgmma.mma_async.sync.aligned.m64n" #n "k16.f32.bf16.bf16 {" names        \
                         "}, " sides ", 1, " flags ";\n"                                           \
                         : D##n("+f")                                                              \
                         : __VA_ARGS__);                                                           \
        else                                                                                       \
            asm volatile("wgmma.mma_async.sync.aligned.m64n" #n "k16.f32.bf16.bf16 {" names        \
                         "}, " sides ", 0, " flags ";\n"                                           \
                         : D##n("=f")                                                              \
                         : __VA_ARGS__);                                                           \
    } while (0)

#define BY_KEYS(n, names, sides) MULTIPLY(n, names, sides, "1, 1, 0, 0", "l"(a), "l"(b))

/* d (64 queries, N keys) = or += a·bᵀ; a (64,16), b (N,16). One product for all keys: a is read
 * once. */
template <int N, bool ADD>
__device__ __forceinline__ void multiply_keys(float *d, uint64_t a, uint64_t b)
{
    if constexpr (N == 32)
        BY_KEYS(32, NAMES16, "%16, %17");
    else if constexpr (N == 64)
        BY_KEYS(64, NAMES32, "%32, %33");
    else if constexpr (N == 96)
        BY_KEYS(96, NAMES48, "%48, %49");
    else if constexpr (N == 128)
        BY_KEYS(128, NAMES64, "%64, %65");
    else if constexpr (N == 160)
        BY_KEYS(160, NAMES80, "%80, %81");
    else if constexpr (N == 192)
        BY_KEYS(192, NAMES96, "%96, %97");
    else if constexpr (N == 224)
        BY_KEYS(224, NAMES112, "%112, %113");
    else
        BY_KEYS(256, NAMES128, "%128, %129");
}

/* d (64 queries, 128) = or += p·b; p (64,16) in registers, b (16,128) */
template <bool ADD>
__device__ __forceinline__ void multiply_values(float *d, const uint32_t p[4], uint64_t b)
{
    MULTIPLY(128, NAMES64, "{%64,%65,%66,%67}, %68", "1, 1, 1", "r"(p[0]), "r"(p[1]), "r"(p[2]),
             "r"(p[3]), "l"(b));
}

/* ------------------------------------------------------------------- copies */

/* `rows` rows of 128 numbers to two panels, `panel` bytes apart; zeros from `there` on. A thread
 * takes 16 bytes of every row THREADS / 16 further on, which lie alike in the swizzle. */
template <int THREADS>
__device__ __forceinline__ void load_panels(char *to, unsigned panel, const bf16 *from,
                                            int64_t stride, int rows, int there, int thread)
{
    constexpr int CHUNKS = DIM / 8, STEP = THREADS / CHUNKS;
    const int first = thread / CHUNKS, chunk = thread % CHUNKS;

    static_assert(STEP % 8 == 0);
    to += chunk / 8 * panel + first * PANEL_ROW + ((chunk ^ first) & 7) * 16;
    from += first * stride + chunk * 8;
#pragma unroll 4
    for (int row = first; row < rows; row += STEP) {
        copy16((bf16 *)to, from, row < there);
        to += STEP * PANEL_ROW;
        from += STEP * stride;
    }
}

/* Waits until at most the last LEFT groups of this thread's copies to shared memory are under way;
 * the others are visible, to the tensor cores too. */
template <int LEFT> __device__ __forceinline__ void copied()
{
    wait_copies<LEFT>();
    asm volatile("fence.proxy.async.shared::cta;\n" ::: "memory");
}

#endif
