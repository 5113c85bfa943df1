#include "core/known_file.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

typedef struct {
    size_t at;
    const char *begins; /* compared without regard to case */
    const char *is;
} kind;

static const kind kinds[] = {
    {0, "version https://git-lfs.github.com/",
     "is a Git LFS pointer, not the file itself (git lfs pull fetches it)"},
    {0, "version https://hawser.github.com/",
     "is a Git LFS pointer, not the file itself (git lfs pull fetches it)"},
    {0, "/annex/objects/",
     "is a git-annex pointer, not the file itself (git annex get fetches it)"},
    {0, "<!doctype", "is a web page, not the file itself (a download that wants a login?)"},
    {0, "<html", "is a web page, not the file itself (a download that wants a login?)"},
    {0, "<head", "is a web page, not the file itself (a download that wants a login?)"},
    {0, "<?xml", "is an XML text, not the file itself (a server's error message?)"},
    {257, "ustar", "is a tar archive: unpack it first"},
    {0, "\x1f\x8b", "is compressed with gzip: unpack it first"},
    {0,
     "\xfd"
     "7zXZ",
     "is compressed with xz: unpack it first"},
    {0, "\x28\xb5\x2f\xfd", "is compressed with zstd: unpack it first"},
    {0, "BZh", "is compressed with bzip2: unpack it first"},
    {0, "7z\xbc\xaf", "is a 7z archive: unpack it first"},
    {0, "Rar!", "is a RAR archive: unpack it first"},
    {0, "\x89HDF\r\n", "is an HDF5 file"},
    {0, "GGUF", "is a GGUF file of llama.cpp"},
    {0, "\x93NUMPY", "is an array of numpy (.npy)"},
    {0, "\x89PNG", "is a PNG picture"},
    {0, "\xff\xd8\xff", "is a JPEG picture"},
    {0, "GIF8", "is a GIF picture"},
    {8, "WEBP", "is a WebP picture"},
    {0, "%PDF", "is a PDF document"},
};

/* What servers send in place of a file; any text may begin with these words. */
static const kind messages[] = {
    {0, "Entry not found", "is a server's message \"Entry not found\", not the file itself"},
    {0, "Invalid username or password", "is a server's refusal of a login, not the file itself"},
    {0, "Access to ", "is a server's refusal (\"Access to ...\"), not the file itself"},
    {0, "404", "is a server's message (404), not the file itself"},
    {0, "Not Found", "is a server's message \"Not Found\", not the file itself"},
    {0, "Forbidden", "is a server's refusal (\"Forbidden\"), not the file itself"},
    {0, "Unauthorized", "is a server's refusal (\"Unauthorized\"), not the file itself"},
    {0, "# xet version", "is a Xet pointer, not the file itself (git xet fetches it)"},
    {0, "<!--", "is a web page, not the file itself (a download that wants a login?)"},
    {0, "\xff\xfe", "is UTF-16: save it as UTF-8"},
    {0, "\xfe\xff", "is UTF-16: save it as UTF-8"},
};

/* {"error": ...}, with blanks anywhere. */
static bool is_json_message(const char *text, size_t bytes)
{
    static const char *const words[] = {"\"error", "\"detail\"", "\"message\""};
    size_t at = 0;

    while (at < bytes && (isspace((unsigned char)text[at]) || text[at] == '{'))
        at++;
    if (at == 0 || !memchr(text, '{', at))
        return false;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (bytes - at >= strlen(words[i]) && memcmp(text + at, words[i], strlen(words[i])) == 0)
            return true;
    return false;
}

static const char tar_of_torch[] =
    "is a checkpoint in PyTorch's old tar form (before version 0.2): load it with torch and save "
    "it again";

/* The first member of the tar archives that torch.save once wrote. */
static bool is_torch_tar(const char *text, size_t bytes)
{
    static const char *const members[] = {"sys_info", "pickle", "tensors", "storages"};

    for (size_t i = 0; i < sizeof members / sizeof members[0] && bytes >= 262; i++)
        if (strncmp(text, members[i], 100) == 0 && memcmp(text + 257, "ustar", 5) == 0)
            return true;
    return false;
}

/* Behind a byte order mark and white space. */
static const char *find(const kind *list, size_t n_list, const void *data, size_t bytes)
{
    const char *text = data;

    if (bytes >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
        text += 3;
        bytes -= 3;
    }
    while (bytes > 0 && isspace((unsigned char)*text)) {
        text++;
        bytes--;
    }
    for (size_t i = 0; i < n_list; i++) {
        const size_t n = strlen(list[i].begins);

        if (bytes >= list[i].at + n && strncasecmp(text + list[i].at, list[i].begins, n) == 0)
            return list[i].is;
    }
    return NULL;
}

const char *skv_known_file_not_text(const void *data, size_t bytes)
{
    return is_torch_tar(data, bytes) ? tar_of_torch
                                     : find(kinds, sizeof kinds / sizeof kinds[0], data, bytes);
}

const char *skv_known_file(const void *data, size_t bytes)
{
    const char *is = skv_known_file_not_text(data, bytes);

    if (!is && is_json_message(data, bytes))
        is = "is a server's error message, not the file itself";
    return is ? is : find(messages, sizeof messages / sizeof messages[0], data, bytes);
}

skv_status skv_not_wanted(const char *path, const void *data, size_t bytes, const char *wanted)
{
    const char *is = bytes == 0 ? "is empty" : skv_known_file(data, bytes);

    if (is)
        return skv_fail(SKV_E_FORMAT, "%s %s: want %s", path, is, wanted);
    return skv_fail(SKV_E_FORMAT, "%s is not %s", path, wanted);
}
