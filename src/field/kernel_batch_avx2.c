/* The element kernels once more, compiled for processors with AVX2, which take two thirds of the time. Its vectors are
 * wider, but each number is worked out in the same way: fused multiplication and addition, which rounds once instead of
 * twice, is not used, so that results do not depend on the processor. */
#define IRZ_BATCH_KERNELS irz_batch_kernels_avx2
#include "kernel_batch.c" /* NOLINT(bugprone-suspicious-include): the same source for other processors */
