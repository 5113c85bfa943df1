/* The page's CSS. Colours are variables, given once for light and once for dark; the tones of
 * policies differ in lightness too, and every line has its name beside it. */
#include <stddef.h>

#include "eval/report/report_internal.h"

static const char *const rules[] = {
    ":root{color-scheme:light dark;--bg:#faf9f7;--card:#fff;--ink:#1c1e21;--soft:#5f6672;"
    "--line:#e3e2df;--grid:#eeedea;--warn:#8a4b00;--warnbg:#fdf3e1;--bad:#a1201b;--badbg:#fcebe9;"
    "--c0:#0a67b0;--c1:#c4500a;--c2:#0b8468;--c3:#a24391;--c4:#8d6a00;--c5:#4b5a70;--cr:#1c1e21}",
    "@media(prefers-color-scheme:dark){:root{--bg:#121317;--card:#1a1c22;--ink:#e9eaec;"
    "--soft:#9ba2ae;--line:#2d3038;--grid:#262931;--warn:#f1c27a;--warnbg:#2c2415;--bad:#ff9d94;"
    "--badbg:#331a19;--c0:#61b1f7;--c1:#ff9358;--c2:#45cda7;--c3:#e592d3;--c4:#e0b74a;"
    "--c5:#a8b4c6;--cr:#e9eaec}}",
    "*{box-sizing:border-box}html{-webkit-text-size-adjust:100%}"
    "body{margin:0;background:var(--bg);color:var(--ink);font:16px/1.55 system-ui,-apple-system,"
    "\"Segoe UI\",Roboto,\"Helvetica Neue\",Arial,sans-serif}"
    "main{max-width:1240px;margin:0 auto;padding:56px 40px 72px}"
    "h1{font-size:40px;line-height:1.12;letter-spacing:-.022em;font-weight:650;margin:0 0 10px;"
    "overflow-wrap:anywhere}"
    "h2{font-size:24px;line-height:1.25;letter-spacing:-.012em;font-weight:650;margin:0 0 6px}"
    "h3{font-size:15px;line-height:1.4;font-weight:600;margin:0}"
    "section{margin-top:68px}p{margin:0 0 12px;max-width:76ch}"
    ".eye{font-size:13px;letter-spacing:.09em;text-transform:uppercase;color:var(--soft);"
    "margin:0 0 14px}.lead{font-size:19px;color:var(--soft);margin:0}"
    ".note{color:var(--soft);font-size:14.5px;margin:0 0 24px}.soft{color:var(--soft)}",
    ".tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(220px,1fr));gap:16px;"
    "margin-top:36px}.tile,.card{background:var(--card);border:1px solid var(--line);"
    "border-radius:14px}.tile{padding:18px 22px 20px}.tile b{display:block;font-size:32px;"
    "line-height:1.2;font-weight:620;letter-spacing:-.02em;font-variant-numeric:tabular-nums;"
    "margin:4px 0 2px}.tile b small{font-size:17px;font-weight:500;letter-spacing:0;"
    "color:var(--soft)}.tile span{color:var(--soft);font-size:14px;display:block;line-height:1.4}",
    ".loud{margin-top:32px;padding:24px 28px;border-radius:14px;background:var(--badbg);"
    "color:var(--bad);border:1px solid currentColor}.loud b{display:block;font-size:30px;"
    "line-height:1.18;letter-spacing:-.015em;margin-bottom:6px}.loud span{font-size:16px}"
    ".warn{list-style:none;margin:24px 0 0;padding:6px 24px;border-radius:14px;"
    "background:var(--warnbg);color:var(--warn);font-size:15px}"
    ".warn li{padding:9px 0}.warn li+li{border-top:1px solid color-mix(in srgb,currentColor 18%,"
    "transparent)}",
    ".grid{display:grid;grid-template-columns:repeat(auto-fill,minmax(310px,1fr));gap:20px}"
    ".card{padding:18px 20px 14px;min-width:0}.card h3{display:flex;align-items:baseline;gap:8px;"
    "margin-bottom:8px}.card h3 span{color:var(--soft);font-weight:400;font-size:13px;"
    "margin-left:auto;white-space:nowrap}"
    "svg{display:block;width:100%;height:auto;overflow:visible}"
    "svg text{font-size:11.5px;fill:var(--soft);font-variant-numeric:tabular-nums}"
    "svg .l{font-size:12px;font-weight:600;fill:currentColor;stroke:var(--card);stroke-width:4px;"
    "paint-order:stroke;stroke-linejoin:round}"
    "svg .g{stroke:var(--grid);stroke-width:1}svg .a{stroke:var(--line);stroke-width:1}"
    "svg .p{fill:none;stroke:currentColor;stroke-width:2.2;stroke-linejoin:round;"
    "stroke-linecap:round}svg .m{fill:currentColor;stroke:var(--card);stroke-width:1.6}"
    "svg .f{fill:none;stroke:var(--soft);stroke-width:1.2;opacity:.28}"
    "svg .d{stroke:var(--soft);stroke-width:1.2;stroke-dasharray:3 4;fill:none}",
    ".s0{color:var(--c0)}.s1{color:var(--c1)}.s2{color:var(--c2)}.s3{color:var(--c3)}"
    ".s4{color:var(--c4)}.s5{color:var(--c5)}.sr{color:var(--cr)}"
    ".dot{display:inline-block;width:9px;height:9px;border-radius:50%;background:currentColor;"
    "flex:none}.sr.dot{background:none;box-shadow:inset 0 0 0 2px currentColor}",
    ".scroll{overflow-x:auto;background:var(--card);border:1px solid var(--line);"
    "border-radius:14px}table{border-collapse:separate;border-spacing:0;width:100%;font-size:14px;"
    "font-variant-numeric:tabular-nums}th,td{padding:9px 10px;text-align:right;white-space:nowrap;"
    "vertical-align:baseline}th{font-weight:550;font-size:12.5px;color:var(--soft);"
    "line-height:1.3;vertical-align:bottom}tr.u th{padding-top:0;font-weight:400}"
    "tbody td{border-top:1px solid var(--line)}td:first-child,th:first-child{text-align:left;"
    "position:sticky;left:0;background:var(--card);padding-left:20px;z-index:1}"
    "td:last-child,th:last-child{padding-right:20px}td.n{font-weight:600}"
    "td.n .dot{margin-right:9px}td.t,th.t{text-align:left}"
    ".bar{display:inline-block;width:52px;height:6px;border-radius:3px;background:var(--grid);"
    "margin-right:8px;vertical-align:2px;overflow:hidden}.bar i{display:block;height:6px;"
    "background:currentColor;border-radius:3px}"
    ".pc{display:inline-block;min-width:58px}.tag{font-size:11.5px;font-weight:500;color:var(--"
    "soft);border:1px solid var(--line);"
    "border-radius:20px;padding:1px 8px;margin-left:8px}",
    ".key{display:flex;align-items:center;gap:0;margin:0 0 22px;max-width:460px;font-size:13px;"
    "color:var(--soft)}.key i{flex:1;height:12px}.key i:first-of-type{border-radius:6px 0 0 6px}"
    ".key i:last-of-type{border-radius:0 6px 6px 0}.key span{padding:0 10px;white-space:nowrap}"
    ".keyed{max-width:460px;margin:0 0 24px;font-size:13px;color:var(--soft)}"
    ".keyed .key{margin:0 0 4px;max-width:none}.ticks{position:relative;height:20px}"
    ".ticks span{position:absolute;transform:translateX(-50%)}",
    ".mix{padding:18px 24px}.mix>div{display:grid;grid-template-columns:minmax(150px,max-content) "
    "1fr "
    "130px;grid-template-areas:'n s t';gap:4px 18px;align-items:center;padding:6px 0}"
    ".mix .name{grid-area:n;font-weight:600;font-size:14px;white-space:nowrap}"
    ".mix .name .dot{margin-right:9px}.mix .stack{grid-area:s}.mix .num{grid-area:t;font-size:14px;"
    "text-align:right;color:var(--soft);font-variant-numeric:tabular-nums;white-space:nowrap}"
    ".stack{display:flex;height:26px;border-radius:5px;overflow:hidden;gap:1px}"
    ".stack i{font-style:normal;font-size:11.5px;line-height:26px;text-align:center;"
    "overflow:hidden;white-space:nowrap;flex-shrink:1;min-width:0}",
    ".shots{margin-bottom:20px;padding:0}.shots summary{cursor:pointer;padding:16px 24px;"
    "display:flex;flex-wrap:wrap;gap:2px 12px;align-items:baseline;font-weight:600;"
    "list-style:none}.shots summary::-webkit-details-marker{display:none}.shots "
    "summary::after{content:\"\";width:8px;height:8px;margin-left:auto;align-self:center;border:"
    "solid var(--soft);border-width:0 1.5px 1.5px 0;transform:rotate(45deg)}.shots[open] "
    "summary::after{transform:rotate(225deg)}.shots summary span{font-weight:400;font-size:14px;"
    "color:var(--soft)}.pick{display:grid;grid-template-columns:minmax(0,1fr) minmax(0,1fr) "
    "minmax(0,1fr) minmax(200px,1.15fr);gap:14px;padding:16px 24px 20px;"
    "border-top:1px solid var(--line)}.pick "
    "figure{margin:0}.ph{display:block;width:100%;height:auto;"
    "border-radius:8px;background:var(--grid) center/100% 100% no-repeat;"
    "print-color-adjust:exact;-webkit-print-color-adjust:exact}"
    "figcaption{font-size:13px;color:var(--soft);margin-top:6px}"
    ".cap h3{font-size:16px;margin-bottom:4px}.cap p{font-size:14.5px;margin:0 0 10px;"
    "overflow-wrap:anywhere}.cap dl{margin:0}",
    "dl.kv div{display:flex;gap:10px}dl.kv dt{width:58px;flex:none}dl.kv{font-size:14px;"
    "font-variant-numeric:tabular-nums}dl.kv dt{color:var(--soft)}dl.kv dd{margin:0;"
    "overflow-wrap:anywhere}.set{display:grid;grid-template-columns:repeat(auto-fill,"
    "minmax(260px,1fr));gap:0 40px;margin:0;padding:14px 24px}.set div{display:flex;gap:16px;"
    "justify-content:space-between;padding:8px 0;font-size:14.5px;border-bottom:1px solid "
    "var(--grid)}.set dt{color:var(--soft);white-space:nowrap}.set dd{margin:0;text-align:right;"
    "overflow-wrap:anywhere;min-width:0;font-variant-numeric:tabular-nums}"
    "code{font:13px/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;"
    "overflow-wrap:anywhere}td.wrap{white-space:normal;min-width:280px;text-align:left}"
    "details.more{margin-top:16px}details.more summary{cursor:pointer;color:var(--soft);"
    "font-size:14.5px;margin-bottom:14px}"
    "footer{margin-top:72px;padding-top:20px;border-top:1px solid var(--line);font-size:13.5px;"
    "color:var(--soft)}",
    "@media(max-width:700px){main{padding:32px 20px 48px}h1{font-size:30px}section{margin-top:52px}"
    ".lead{font-size:17px}.tiles{grid-template-columns:1fr 1fr;gap:12px}.tile{padding:14px 16px}"
    ".tile b{font-size:25px}.loud{padding:20px}.loud b{font-size:25px}.warn{padding:4px 18px}"
    ".grid{grid-template-columns:1fr}.mix{padding:12px 18px}"
    ".mix>div{grid-template-columns:1fr max-content;grid-template-areas:'n t' 's s';padding:9px 0}"
    ".pick{grid-template-columns:repeat(3,minmax(0,1fr));gap:8px;"
    "padding:14px 16px 18px}.pick "
    ".cap{grid-column:1/-1;grid-row:1}dl.kv{display:flex;flex-wrap:wrap;gap:0 16px}dl.kv "
    "div{gap:6px}dl.kv dt{width:auto}.tile b small{font-size:15px}.shots summary{padding:14px "
    "16px}"
    ".set{padding:8px 18px}td:first-child,th:first-child{padding-left:14px}}",
    "@media print{body{background:#fff}section{break-inside:auto}.card,.tile{break-inside:avoid}}",
    NULL};

const char *skv_report__tone(const skv_report_data *d, int series)
{
    static const char *const tones[SKV_REPORT_TONES] = {"s0", "s1", "s2", "s3", "s4", "s5"};
    const int own = d->reference >= 0 ? d->path[d->reference].series : -1;

    if (series == own)
        return "sr";
    return tones[(series - (own >= 0 && own < series)) % SKV_REPORT_TONES];
}

int skv_report__ramp(int si, int n)
{
    return n < 2 ? 0 : (si * (SKV_REPORT_RAMP - 1) + (n - 1) / 2) / (n - 1);
}

typedef struct {
    double r, g, b;
} colour;

static colour mix(const colour *stops, int n, double t)
{
    const int i = t * (n - 1) >= n - 1 ? n - 2 : (int)(t * (n - 1));
    const double u = t * (n - 1) - i;
    const colour a = stops[i], b = stops[i + 1];

    return (colour){a.r + u * (b.r - a.r), a.g + u * (b.g - a.g), a.b + u * (b.b - a.b)};
}

static void heat_colours(skv_html *h, const colour *stops, int n)
{
    for (int i = 0; i < SKV_REPORT_HEAT; i++) {
        const colour c = mix(stops, n, i / (SKV_REPORT_HEAT - 1.0));

        skv_html_f(h, ".h%d{fill:rgb(%.0f,%.0f,%.0f);background:rgb(%.0f,%.0f,%.0f)}", i, c.r, c.g,
                   c.b, c.r, c.g, c.b);
    }
}

/* Both ramps rise or fall in lightness throughout: they read the same without hues. */
static void write_palette(skv_html *h)
{
    static const colour light[] = {{236, 240, 243}, {158, 197, 224}, {62, 134, 186}, {10, 50, 98}};
    static const colour dark[] = {{36, 40, 48}, {32, 78, 122}, {62, 146, 204}, {196, 229, 255}};
    static const colour scales[] = {{52, 43, 96},   {45, 86, 144},  {34, 130, 147},
                                    {58, 170, 124}, {149, 203, 85}, {243, 226, 106}};

    heat_colours(h, light, 4);
    skv_html_raw(h, "@media(prefers-color-scheme:dark){");
    heat_colours(h, dark, 4);
    skv_html_raw(h, "}");
    for (int i = 0; i < SKV_REPORT_RAMP; i++) {
        const colour c = mix(scales, 6, i / (SKV_REPORT_RAMP - 1.0));

        skv_html_f(h, ".q%d{background:rgb(%.0f,%.0f,%.0f);color:%s}", i, c.r, c.g, c.b,
                   i < 7 ? "#fff" : "#16181c");
    }
}

void skv_report__style(skv_html *h)
{
    for (int i = 0; rules[i]; i++)
        skv_html_raw(h, rules[i]);
    write_palette(h);
}
