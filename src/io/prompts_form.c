/* A list's form by its beginning. JSON Lines are often called .json, and one document .jsonl: the
 * first line decides. What has no name is looked at for JSON, too. A text list whose beginning is
 * that of another form is refused, since each of its lines would pass for a prompt. */
#include "io/prompts_internal.h"

#include <string.h>
#include <strings.h>

#include "core/json.h"
#include "core/known_file.h"
#include "io/prompts_json.h"
#include "io/prompts_keys.h"

typedef struct {
    char first;     /* of the list, white space not counted; NUL: there is nothing */
    json_t *value;  /* of the first line that is not blank; NULL: it is not JSON, or longer than
                     * what was looked at */
    char next;      /* of the line behind it; NUL: there is none */
    bool opens;     /* that line is brackets alone, which open one document */
    char separator; /* of a table's columns, whose header that line is; NUL: it is none */
} beginning;

static char first_of(const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!skv_prompts__is_blank(text + i, 1))
            return text[i];
    return '\0';
}

/* A column's name without the blanks and quotes around it, in place. */
static char *bare(char *name)
{
    size_t n;

    name += strspn(name, " ");
    n = strlen(name);
    while (n > 0 && name[n - 1] == ' ')
        name[--n] = '\0';
    if (n < 2 || name[0] != '"' || name[n - 1] != '"')
        return name;
    name[n - 1] = '\0';
    return name + 1;
}

/* Whether the line is a header: of several columns, one of which is called as prompts are. A prompt
 * may hold commas: there, "text" needs a second column that is known. */
static bool is_header(const char *line, size_t n, char separator)
{
    const skv_prompts_options plain = {0};
    const skv_prompts__builder b = {.key = "column", .options = &plain};
    const char *names[64];
    skv_prompts__roles roles;
    char text[1024], why[800];
    int n_names = 0;

    if (n >= sizeof text || !memchr(line, separator, n) || memchr(line, '\0', n))
        return false;
    memcpy(text, line, n);
    text[n] = '\0';
    for (char *at = text; at && n_names < 64;) {
        char *end = strchr(at, separator);

        if (end)
            *end++ = '\0';
        names[n_names++] = bare(at);
        at = end;
    }
    if (!skv_prompts__find_roles(&roles, &b, names, n_names, why, sizeof why))
        return false;
    return separator == '\t' || roles.n_id > 0 || roles.seed >= 0 || roles.negative >= 0 ||
           strncasecmp(names[roles.text], "prompt", strlen("prompt")) == 0;
}

static char separator_of(const char *line, size_t n)
{
    static const char candidates[] = "\t,;";

    for (const char *c = candidates; *c; c++)
        if (is_header(line, n, *c))
            return *c;
    return '\0';
}

/* "[" or "{" alone on a line, and what may follow them in JSON. */
static bool opens_document(const char *line, size_t n, char next)
{
    while (n > 0 && strchr("[{ \t", *line) && *line) {
        line++;
        n--;
    }
    return n == 0 && next && strchr("\"[{", next);
}

static skv_status look_at(beginning *out, const skv_prompts__window *w, const char *name)
{
    const char *line = NULL;
    size_t used = 0, line_bytes = 0;
    json_error_t error;
    skv_status st = SKV_OK;

    *out = (beginning){.first = first_of(w->bytes, w->n)};
    while (skv_prompts__next_line(w, &used, &line, &line_bytes))
        if (!skv_prompts__is_blank(line, line_bytes))
            break;
    if (!line || skv_prompts__is_blank(line, line_bytes))
        return SKV_OK;
    out->next = first_of(w->bytes + used, w->n - used);
    out->opens = opens_document(line, line_bytes, out->next);
    out->separator = separator_of(line, line_bytes);
    if (out->first == '{' || out->first == '[')
        st = skv_prompts__load(&out->value, &error, line, line_bytes, 0, name);
    return st == SKV_E_FORMAT ? SKV_OK : st;
}

/* Lines, where the first one is whole and others follow, or is not and the next begins like it. One
 * line alone is a document, but for an object in a file that is called JSON Lines. */
static skv_prompts_form form_of_json(const beginning *b, skv_prompts_form named)
{
    if (b->value && b->next)
        return SKV_PROMPTS_JSONL;
    if (b->value)
        return b->first == '[' ? SKV_PROMPTS_JSON : named;
    if (named == SKV_PROMPTS_JSONL && b->first != '[' && (b->first != '{' || b->next == '{'))
        return SKV_PROMPTS_JSONL;
    return SKV_PROMPTS_JSON;
}

/* Of what was called text, or nothing. */
static skv_status settle_text(skv_prompts_form *form, const beginning *b, const char *name,
                              bool nameless)
{
    static const char fault[] = "and each line of text would be taken for a prompt";
    const bool is_json = b->value || b->opens;

    if (nameless && is_json)
        *form = form_of_json(b, SKV_PROMPTS_JSON);
    else if (nameless && b->separator)
        *form = b->separator == '\t' ? SKV_PROMPTS_TSV : SKV_PROMPTS_CSV;
    else if (is_json)
        return skv_fail(SKV_E_ARG, "%s: line 1 is JSON, %s: call the file .jsonl or .json", name,
                        fault);
    else if (b->separator)
        return skv_fail(SKV_E_ARG, "%s: line 1 is the header of a table, %s: call the file .%s",
                        name, fault, b->separator == '\t' ? "tsv" : "csv");
    return SKV_OK;
}

/* UTF-16, as Excel's "Unicode text" is written, or UTF-32: by its mark, or by the zeros beside its
 * first letters. */
static bool is_wide(const char *bytes, size_t n)
{
    unsigned zeros = 0; /* of the first four bytes, the first one's bit being 8 */

    if (n < 4)
        return false;
    if (memcmp(bytes, "\xff\xfe", 2) == 0 || memcmp(bytes, "\xfe\xff", 2) == 0)
        return memchr(bytes, '\0', n < 64 ? n : 64);
    for (int i = 0; i < 4; i++)
        zeros = zeros << 1 | !bytes[i];
    return zeros == 0xa || zeros == 0x5 || zeros == 0x7 || zeros == 0xe;
}

const char *skv_prompts__not_a_list(const char *bytes, size_t n)
{
    if (is_wide(bytes, n))
        return "is UTF-16 or UTF-32: save it as UTF-8";
    if (n >= 4 && memcmp(bytes, "PK\3\4", 4) == 0)
        return "is a zip archive (as .xlsx is): want the text that is in it";
    if (n >= 4 && memcmp(bytes, "PAR1", 4) == 0)
        return "is a Parquet table: save it as .jsonl or .csv";
    return skv_known_file_not_text(bytes, n);
}

skv_status skv_prompts__settle_form(skv_prompts_form *form, const skv_prompts__window *start,
                                    const char *name, bool nameless)
{
    const size_t mark = 3;
    const bool marked = start->n >= mark && memcmp(start->bytes, "\xef\xbb\xbf", mark) == 0;
    skv_prompts__window w = *start;
    skv_status st = SKV_OK;
    beginning b;

    w.bytes += marked ? mark : 0;
    w.n -= marked ? mark : 0;
    SKV_TRY(look_at(&b, &w, name));
    if (*form == SKV_PROMPTS_TEXT)
        st = settle_text(form, &b, name, nameless);
    else if ((*form == SKV_PROMPTS_JSON || *form == SKV_PROMPTS_JSONL) && b.first)
        *form = form_of_json(&b, *form);
    json_decref(b.value);
    return st;
}
