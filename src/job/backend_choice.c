#include "job/backend_choice.h"

#include <string.h>
#include <unistd.h>

#include "core/digest.h"
#include "core/log.h"

/* Device memory that CUDA's libraries and graphs take when first used (tens of MiB were seen), with
 * a margin. */
#define LIBRARY_BYTES ((size_t)256 << 20)

static skv_status decide_type(skv_device_choice *out, const char *dtype)
{
    if (strcmp(dtype, "auto") == 0) {
        out->type = out->cuda ? SKV_BF16 : SKV_F32;
        return SKV_OK;
    }
    if (strcmp(dtype, "fp32") == 0) {
        out->type = SKV_F32;
        return SKV_OK;
    }
    if (strcmp(dtype, "bf16") != 0)
        return skv_fail(SKV_E_ARG, "--dtype %s is not one of auto, bf16, fp32", dtype);
    if (!out->cuda)
        return skv_fail(SKV_E_ARG, "--dtype bf16: the CPU computes in fp32 only");
    out->type = SKV_BF16;
    return SKV_OK;
}

skv_status skv_device_decide(skv_device_choice *out, const skv_device_wish *wish,
                             skv_status counted, int n_gpus)
{
    const bool want_cuda = strcmp(wish->device, "cuda") == 0;

    *out = (skv_device_choice){.n_sharing = wish->local_size};
    if (strcmp(wish->device, "cpu") == 0)
        return decide_type(out, wish->dtype);
    if (!want_cuda && strcmp(wish->device, "auto") != 0)
        return skv_fail(SKV_E_ARG, "--device %s is not one of auto, cpu, cuda", wish->device);
    if (counted == SKV_E_UNSUPPORTED && want_cuda)
        return skv_fail(SKV_E_ARG, "--device cuda: this is the CPU build");
    if (counted == SKV_E_NOTFOUND && want_cuda)
        return skv_fail(SKV_E_CUDA, "--device cuda: this machine has no NVIDIA driver");
    if (counted == SKV_E_UNSUPPORTED || counted == SKV_E_NOTFOUND) {
        out->no_driver = counted == SKV_E_NOTFOUND;
        return decide_type(out, wish->dtype);
    }
    if (counted != SKV_OK) {
        skv_context("--device %s (cpu does without it)", wish->device);
        return counted;
    }
    if (n_gpus < 1)
        return skv_fail(SKV_E_CUDA,
                        "--device %s: the driver shows no GPU to this process; see the variable "
                        "CUDA_VISIBLE_DEVICES, or take --device cpu",
                        wish->device);
    out->cuda = true;
    out->gpu = wish->local_rank % n_gpus;
    out->n_sharing = 1;
    return decide_type(out, wish->dtype);
}

int64_t skv_device_number(const skv_device_choice *choice)
{
    return skv_digest_number(choice->identity);
}

void skv_device_count_sharing(skv_device_choice *choice, const int64_t *number, int n)
{
    const int64_t mine = skv_device_number(choice);

    if (!choice->cuda || choice->planned.bytes > 0)
        return;
    choice->n_sharing = 0;
    for (int r = 0; r < n; r++)
        choice->n_sharing += number[r] == mine;
}

int skv_device_threads(int64_t wished, int local_size)
{
    const long cores = sysconf(_SC_NPROCESSORS_ONLN);

    if (wished != 0)
        return (int)wished;
    return cores > local_size ? (int)(cores / local_size) : 1;
}

static skv_status open_planned(skv_backend **out, const skv_device_choice *choice, skv_dtype type)
{
    return skv_backend_open_planned(out, choice->planned.name, choice->planned.bytes, type);
}

static skv_status plan_with(skv_backend **out, skv_device_choice *choice,
                            const skv_device_wish *wish)
{
    *choice = (skv_device_choice){.cuda = true, .n_sharing = 1};
    SKV_TRY(skv_gpu_planned(&choice->planned, wish->planned));
    SKV_TRY(decide_type(choice, wish->dtype));
    return open_planned(out, choice, choice->type);
}

skv_status skv_backend_choose(skv_backend **out, skv_device_choice *choice,
                              const skv_device_wish *wish)
{
    skv_status counted = SKV_E_UNSUPPORTED;
    int n_gpus = 0;

    if (wish->planned)
        return plan_with(out, choice, wish);
    if (strcmp(wish->device, "cpu") != 0)
        counted = skv_cuda_count(&n_gpus);
    SKV_TRY(skv_device_decide(choice, wish, counted, n_gpus));
    if (choice->no_driver)
        skv_warn("this machine has no NVIDIA driver: computing on the CPU");
    if (!choice->cuda)
        return skv_backend_open_cpu(out, skv_device_threads(wish->threads, wish->local_size));
    SKV_TRY(skv_cuda_identity(choice->identity, choice->gpu));
    return skv_backend_open_cuda(out,
                                 &(skv_cuda_options){.device = choice->gpu, .type = choice->type});
}

skv_status skv_backend_choose_text(skv_backend **out, skv_backend *chosen,
                                   const skv_device_choice *choice)
{
    if (!choice->cuda) {
        *out = chosen;
        return SKV_OK;
    }
    if (choice->planned.bytes > 0)
        return open_planned(out, choice, SKV_F32);
    return skv_backend_open_cuda(
        out, &(skv_cuda_options){.device = choice->gpu, .type = SKV_F32, .tf32 = true});
}

skv_status skv_memory_there(size_t *bytes, skv_backend *be, const skv_device_choice *choice,
                            int64_t limit)
{
    size_t total = 0;

    SKV_TRY(skv_backend_memory(be, bytes, &total));
    *bytes /= (size_t)choice->n_sharing;
    if (choice->cuda)
        *bytes -= *bytes < LIBRARY_BYTES ? *bytes : LIBRARY_BYTES;
    if (limit > 0)
        *bytes = (size_t)limit;
    return SKV_OK;
}
