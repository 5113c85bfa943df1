#include "core/known_file.h"

#include <stdlib.h>
#include <string.h>

#include "cmocka_all.h"

/* In a block of its own size, so that the sanitizers see a read past the end. */
static const char *known(const char *begins, size_t n, size_t bytes)
{
    char *file = calloc(bytes ? bytes : 1, 1);
    const char *is;

    assert_non_null(file);
    memcpy(file, begins, n < bytes ? n : bytes);
    is = skv_known_file(file, bytes);
    free(file);
    return is;
}

static void files_are_called_by_their_names(void **state)
{
    static const struct {
        const char *begins, *is;
    } files[] = {
        {"version https://git-lfs.github.com/spec/v1\noid sha256:00", "Git LFS pointer"},
        {"/annex/objects/SHA256E-s1--0", "git-annex"},
        {"<!DOCTYPE html>", "web page"},
        {"\xef\xbb\xbf\r\n <HTML>", "web page"},
        {"<?xml version=\"1.0\"?><Error>", "XML"},
        {"Entry not found", "server"},
        {"{ \"error\" : \"gone\"}", "server"},
        {"\n{\"detail\":\"Not found\"}", "server"},
        {"<!-- saved --><html>", "web page"},
        {"# xet version 0\nfilesize = 5\n", "Xet"},
        {"\xff\xfe{", "UTF-16"},
        {"\x1f\x8b\x08", "gzip"},
        {"\x89HDF\r\n\x1a\n", "HDF5"},
        {"GGUF", "GGUF"},
        {"\x93NUMPY\1", "numpy"},
        {"RIFF....WEBP", "WebP"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        const size_t n = strlen(files[i].begins);
        const char *is = known(files[i].begins, n, n);

        if (!is || !strstr(is, files[i].is))
            fail_msg("%s: \"%s\", want \"%s\"", files[i].begins, is ? is : "", files[i].is);
    }
}

static void a_servers_message_may_be_a_line_of_a_text(void **state)
{
    static const char *const lines[] = {"404 in neon letters", "Access to the castle",
                                        "Entry not found"};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        assert_non_null(skv_known_file(lines[i], strlen(lines[i])));
        assert_null(skv_known_file_not_text(lines[i], strlen(lines[i])));
    }
    assert_non_null(skv_known_file_not_text("<html>", 6));
}

static void tars_of_old_torch_are_told_from_others(void **state)
{
    char tar[512] = "storages";

    (void)state;
    memcpy(tar + 257, "ustar", 5);
    assert_non_null(strstr(known(tar, sizeof tar, sizeof tar), "PyTorch's old tar form"));
    assert_null(known(tar, sizeof tar, 261));
    strcpy(tar, "weights.bin");
    assert_non_null(strstr(known(tar, sizeof tar, sizeof tar), "tar archive"));
}

static void what_is_expected_is_not_known(void **state)
{
    (void)state;
    assert_null(known("PK\3\4", 4, 400));
    assert_null(known("\x80\2\x8a\x0al\xfc", 6, 400));
    assert_null(known("\x30\0\0\0\0\0\0\0{\"w\":", 12, 400));
    assert_null(known("{\"d_model\": 1}", 14, 14));
    assert_null(known("", 0, 0));
    assert_null(known("  \n", 3, 3));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_are_called_by_their_names),
        cmocka_unit_test(a_servers_message_may_be_a_line_of_a_text),
        cmocka_unit_test(tars_of_old_torch_are_told_from_others),
        cmocka_unit_test(what_is_expected_is_not_known),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
