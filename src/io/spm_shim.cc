// The only C++ of the project: SentencePiece's processor behind spm_shim.h.
//
// Whatever the library throws ends here as a status; its Status texts go into our message.
#include "io/spm_shim.h"

#include <sentencepiece_processor.h>

#include <algorithm>
#include <cstring>
#include <exception>
#include <new>
#include <string>
#include <string_view>
#include <vector>

struct skv_spm {
    sentencepiece::SentencePieceProcessor processor;
    std::string name;
};

namespace
{

// Runs f, which returns a skv_status.
template <typename F> skv_status guarded(const char *name, F f)
{
    try {
        return f();
    } catch (const std::bad_alloc &) {
        return skv_fail(SKV_E_MEM, "%s: out of memory", name);
    } catch (const std::exception &e) {
        return skv_fail(SKV_E_FORMAT, "%s: SentencePiece: %s", name, e.what());
    } catch (...) {
        return skv_fail(SKV_E_FORMAT, "%s: SentencePiece failed", name);
    }
}

skv_status failed(const char *name, const sentencepiece::util::Status &s)
{
    return skv_fail(SKV_E_FORMAT, "%s: SentencePiece: %s", name, s.ToString().c_str());
}

} // namespace

extern "C" skv_status skv_spm_open(skv_spm **out, const void *bytes, size_t n, const char *name)
{
    skv_spm *m = nullptr;
    skv_status st = guarded(name, [&] {
        m = new skv_spm;
        m->name = name;
        const auto s = m->processor.LoadFromSerializedProto({static_cast<const char *>(bytes), n});
        return s.ok() ? SKV_OK : failed(name, s);
    });

    if (st != SKV_OK)
        delete m;
    else
        *out = m;
    return st;
}

extern "C" void skv_spm_close(skv_spm *m)
{
    delete m;
}

extern "C" int skv_spm_size(const skv_spm *m)
{
    return m->processor.GetPieceSize();
}

extern "C" int skv_spm_pad(const skv_spm *m)
{
    return m->processor.pad_id();
}

extern "C" int skv_spm_eos(const skv_spm *m)
{
    return m->processor.eos_id();
}

extern "C" int skv_spm_unk(const skv_spm *m)
{
    return m->processor.unk_id();
}

extern "C" skv_status skv_spm_encode(const skv_spm *m, const char *text, size_t bytes, int32_t *ids,
                                     int room, int *n, size_t *end)
{
    return guarded(m->name.c_str(), [&] {
        sentencepiece::ImmutableSentencePieceText found;
        const auto s = m->processor.Encode(std::string_view(text, bytes), found.mutable_proto());
        const size_t count = found.pieces_size();

        if (!s.ok())
            return failed(m->name.c_str(), s);
        if (count > INT32_MAX)
            return skv_fail(SKV_E_ARG, "%s: a text of %zu tokens", m->name.c_str(), count);
        *n = static_cast<int>(count);
        *end = count > 0 ? found.pieces(*n - 1).end() : 0;
        for (int i = 0; i < std::min(*n, room); i++)
            ids[i] = static_cast<int32_t>(found.pieces(i).id());
        return SKV_OK;
    });
}

extern "C" skv_status skv_spm_ending(const skv_spm *m, const char *text, size_t bytes,
                                     char end[SKV_SPM_ENDING], int *n)
{
    return guarded(m->name.c_str(), [&] {
        std::vector<std::string> pieces;
        const auto s = m->processor.Encode(std::string_view(text, bytes), &pieces);
        std::string all;

        if (!s.ok())
            return failed(m->name.c_str(), s);
        for (size_t i = pieces.size(); i > 0 && all.size() < SKV_SPM_ENDING; i--)
            all = pieces[i - 1] + all;
        all = all.substr(all.size() - std::min<size_t>(all.size(), SKV_SPM_ENDING));
        std::memcpy(end, all.data(), all.size());
        *n = static_cast<int>(all.size());
        return SKV_OK;
    });
}
