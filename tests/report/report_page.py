"""report_page.py PROGRAM FOLDER: the pages that PROGRAM (write_pages) makes, opened from disk in
headless Chromium. Pages and screenshots are left in FOLDER/pages. Exit status 77: no browser here.
"""

import base64
import json
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

try:
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys
    from selenium.webdriver.support.ui import Select
except ImportError:
    print("no selenium here")
    sys.exit(77)

BROWSER = next(filter(None, map(shutil.which, ("chromium", "google-chrome", "chrome"))), None)
DRIVER = shutil.which("chromedriver")
ARGUMENTS = """--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run
    --disable-background-networking --disable-component-update --disable-sync
    --hide-scrollbars""".split()
SOURCES = Path(__file__).resolve().parents[2] / "eval" / "report"
MAIN_SECTIONS = ["paths", "quality", "compare", "cache", "sources", "scales", "pictures", "rows",
                 "failed", "settings"]
pages = None


class Page(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.profile = tempfile.TemporaryDirectory()
        options = webdriver.ChromeOptions()
        options.binary_location = BROWSER
        for argument in ARGUMENTS + [f"--user-data-dir={cls.profile.name}"]:
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        cls.browser = webdriver.Chrome(options=options, service=Service(DRIVER))
        cls.browser.get("about:blank")
        cls.browser.get_log("performance")  # the browser's own first page

    @classmethod
    def tearDownClass(cls):
        cls.browser.quit()
        cls.profile.cleanup()

    def open(self, name, width=1280, scheme="light"):
        self.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {
            "features": [{"name": "prefers-color-scheme", "value": scheme}]})
        self.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
            "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False})
        self.browser.get((pages / f"{name}.html").as_uri())

    def tearDown(self):
        """Whatever a test did: nothing was said on the console, nothing asked of a network."""
        self.assertEqual(self.browser.get_log("browser"), [])
        for entry in self.browser.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                url = message["params"]["request"]["url"]
                self.assertRegex(url, r"^(file:///|data:)")

    def find(self, css):
        return self.browser.find_element(By.CSS_SELECTOR, css)

    def all(self, css):
        return self.browser.find_elements(By.CSS_SELECTOR, css)

    def text(self, css):
        return self.find(css).text

    def press(self, *keys):
        for key in keys:
            self.browser.switch_to.active_element.send_keys(key)

    def shown(self):
        return [s.get_attribute("id") for s in self.all("main > section") if s.is_displayed()]

    def column(self, section, i):
        """Texts of column i of a section's table, from top to bottom."""
        rows = self.all(f"#{section} tbody tr")
        return [r.find_elements(By.CSS_SELECTOR, "th, td")[i].text for r in rows]

    # ------------------------------------------------------------------ what is there

    def test_all_sections_are_there(self):
        self.open("measured")
        self.assertEqual(self.shown(), MAIN_SECTIONS)
        self.assertEqual([a.text for a in self.all("#links a")][:3], ["Paths", "Quality", "Compare"])
        self.assertEqual(self.text("h1"), "3 cache paths, 4 prompts")
        self.assertEqual(len(self.all("#heat-maps svg")), 3)
        self.assertEqual(len(self.all("#source-bars .mix")), 3)
        self.assertEqual(len(self.all("#scale-plots svg")), 2)
        self.assertIn("PSNR", [h.text for h in self.all("#quality h3")][0])

    def test_numbers_of_the_table(self):
        self.open("measured")
        heads = [h.text.split("\n")[0] for h in self.all("#path-table thead th")]
        cells = {h: self.column("paths", i)[1] for i, h in enumerate(heads)}
        self.assertEqual(cells["Path"], "half-50")
        self.assertEqual(cells["Tokens a layer"], "7")
        self.assertEqual(cells["Cache taken"], "14.00")
        self.assertEqual(cells["Speed"], "4.00")
        self.assertEqual(cells["PSNR"], "22.88*")
        self.assertEqual(cells["FID"], "12.34")
        self.assertEqual(cells["Bits equal"], "90.00")
        self.assertEqual(cells["Identical pairs"], "1")
        self.assertTrue(self.find("#starred").is_displayed())

    def test_codes_are_counted_with_what_scales_them(self):
        self.open("in_codes")
        heads = [h.text.split("\n")[0] for h in self.all("#path-table thead th")]
        full, half, codes = [{h: self.column("paths", i)[row] for i, h in enumerate(heads)}
                             for row in range(3)]
        self.assertEqual(half["Cache taken"], "14.00")
        self.assertEqual(codes["Cache taken"], "7.75")  # 2 layers: 7 tokens of 1/2, 3 maps of 1/8
        self.assertEqual(codes["Cache planned"], "7.75")
        self.assertEqual(codes["Share of all tokens"], half["Share of all tokens"])
        self.assertIn("fp8", codes["Path"])
        tones = [bar.get_attribute("class") for bar in self.all("#path-table .bar")]
        self.assertEqual(len(set(tones)), 3)  # a line of its own

    def test_a_metric_that_nobody_knows_is_shown(self):
        self.open("measured")
        heads = [h.text for h in self.all("#path-table thead th")]
        self.assertEqual(self.column("paths", heads.index("New one\nnat"))[1:], ["1.500"] * 2)
        self.assertIn("New one", [h.text.split("\n")[0] for h in self.all("#quality h3")])
        self.assertIn("New one", self.text("#metric"))

    def test_failed_rows_have_their_reasons(self):
        self.open("measured")
        self.assertIn("1 of 4 pictures failed", self.text("#head .warn"))
        self.assertEqual(self.column("failed", 2), ["<b>not finite</b>: picture"])
        self.assertNotIn("a prompt that fails", self.text("#row-table"))

    def test_a_partial_run_says_so_at_the_top(self):
        self.open("partial")
        self.assertIn("2 of 4 rows; path full lacks 2.", self.text("#head .loud"))
        self.assertEqual(self.text("#head .tile b"), "2")
        self.assertNotIn("failed", self.shown())
        self.open("measured")
        self.assertEqual(self.all("#head .loud"), [])

    def test_texts_are_never_markup(self):
        self.open("measured")
        self.assertIsNone(self.browser.execute_script("return window.hacked || null"))
        self.assertEqual(self.all("img[src=x], #rows script, #failed b"), [])
        self.assertIn("<script>window.hacked=1</script>", self.text("#row-table"))
        lake = [t for t in self.column("rows", 1) if "lake" in t]
        self.assertEqual(lake, ["a blue lake \u202e"])

    def test_no_metrics(self):
        self.open("without_metrics")
        self.assertIn("There is no metrics.h5 yet", self.text("#head .warn"))
        self.assertEqual(self.shown(), [s for s in MAIN_SECTIONS if s not in ("quality", "scales")])
        self.assertFalse(self.find("#picks").is_displayed())
        self.assertEqual(len(self.all("#common-grid img")), 9)
        self.assertNotIn("PSNR", self.text("#path-table"))

    def test_scores_stand_beside_cache_and_speed(self):
        self.open("with_scores")
        self.assertEqual(self.shown()[:2], ["paths", "benchmarks"])
        cards = self.all("#benchmark-tables > .card")
        self.assertEqual([c.find_element(By.TAG_NAME, "h3").text for c in cards],
                         ["GenEval", "<b>DPG</b>"])
        cells = [[c.text for c in row.find_elements(By.CSS_SELECTOR, "th, td")]
                 for row in cards[0].find_elements(By.CSS_SELECTOR, "tr")]
        heads = [c.split("\n")[0] for c in cells[0]]
        full, half = [dict(zip(heads, row)) for row in cells[1:]]
        self.assertEqual(full["Score"], "0.7307")
        self.assertEqual(full["Published"], "0.7300")
        self.assertEqual(half["Published"], "\u2013")
        self.assertEqual(half["Cache taken"], "14.0")
        self.assertEqual(half["Time"], "0.250")
        self.assertEqual((full["colors"], half["colors"]), ("0.5000", "\u2013"))
        self.assertEqual(half["Pictures without a result"], "1")
        self.assertIn("no result of GenEval: half-50", self.text("#head .warn"))
        self.assertIn("are of other pictures", self.text("#head .warn"))

        heads = [h.text.split("\n")[0] for h in self.all("#path-table thead th")]
        self.assertEqual(self.column("paths", heads.index("GenEval")), ["0.7307", "0.7253", "\u2013"])

    def test_finer_categories_and_faults_of_scores(self):
        self.open("with_scores")
        card = self.all("#benchmark-tables > .card")[1]
        self.assertIn("its <i>categories</i> are mixed up.", card.text)
        self.assertIn("<i>entity</i>\n%", card.text)
        self.assertNotIn("Published", card.text)
        self.assertNotIn("entity - whole", card.text)
        card.find_element(By.TAG_NAME, "summary").click()
        self.assertIn("entity - whole\n%", card.text)
        self.assertEqual(self.all("#benchmarks b, #benchmarks i:not(.dot)"), [])

    def test_the_frontier_is_marked(self):
        """Of three caches the smallest and ScaleKV's are on the front of PSNR; half-50 is not."""
        self.open("frontier")
        plot = next(c for c in self.all("#quality-plots > .card")
                    if c.find_element(By.TAG_NAME, "h3").text.startswith("PSNR"))
        marks = {m.get_attribute("data-tip").split(":")[0]: m
                 for m in plot.find_elements(By.CSS_SELECTOR, ".m")}
        self.assertEqual(set(marks), {"half-50", "third-21", "scalekv-50"})
        place = lambda m: [round(float(v)) for v in re.match(
            r"M([\d.]+) ([\d.]+)m", m.get_attribute("d")).groups()]
        rings = [[round(float(r.get_attribute(a))) for a in ("cx", "cy")]
                 for r in plot.find_elements(By.CSS_SELECTOR, "circle.front")]
        self.assertEqual(rings, [place(marks["third-21"]), place(marks["scalekv-50"])])
        self.assertEqual(len(plot.find_elements(By.CSS_SELECTOR, "path.w")), 3)
        self.assertIn("no path is better with less", marks["third-21"].get_attribute("data-tip"))
        self.assertNotIn("no path", marks["half-50"].get_attribute("data-tip"))
        self.assertRegex(marks["half-50"].get_attribute("data-tip"),
                         "95 % of resamples from 21.50.dB to 24.25.dB")

    def test_differences_to_scalekv(self):
        self.open("frontier")
        heads = [h.text.split("\n")[0] for h in self.all("#difference-table thead th")]
        cells = [c.text for c in self.all("#difference-table tbody tr > *")]
        row = dict(zip(heads, cells))
        self.assertEqual((row["Path"], row["ScaleKV\u2019s"]), ("half-50", "scalekv-50"))
        self.assertEqual(len(cells), len(heads))  # of third-21 there is none
        self.assertEqual(row["PSNR"], "\u22122.000 \u2022 \u22122.000 to \u22122.000")
        self.assertEqual(row["Bits equal"], "0 0 to 0")

    def test_recall_has_a_column_and_a_map(self):
        self.open("with_recall")
        self.assertEqual(self.shown(), [*MAIN_SECTIONS[:4], "recall", *MAIN_SECTIONS[4:]])
        heads = [h.text.split("\n")[0] for h in self.all("#path-table thead th")]
        self.assertEqual(self.column("paths", heads.index("Recall")),
                         ["100.0", "81.3", "\u2013"])
        self.assertIn("Recall", [h.text.split("\n")[0] for h in self.all("#quality h3")])
        plot = next(c for c in self.all("#quality-plots > .card")
                    if c.find_element(By.TAG_NAME, "h3").text.startswith("Recall"))
        tips = [m.get_attribute("data-tip") for m in plot.find_elements(By.CSS_SELECTOR, ".m")]
        self.assertTrue(any(re.search("half-50.*95 % of resamples from 75.0+.% to 87.50*.%", tip)
                            for tip in tips), tips)
        self.assertEqual(len(self.all("#recall-maps svg")), 1)  # of half-50: full has no cut
        self.assertIn("81.3 %", self.text("#recall-maps h3"))
        self.assertIn("3 pictures", self.text("#recall .note"))
        cell = self.find("#recall-maps [data-scale='3'][data-column='0']")
        self.assertEqual(cell.get_attribute("class"), "h15")
        self.assertEqual(cell.get_attribute("data-tip"),
                         "half-50, scale 3, layer 0: 50.00\u00a0% of the attention")

    def test_old_metrics_are_named(self):
        self.open("of_another_run")
        self.assertIn("is of other pictures", self.text("#head .warn"))
        self.assertNotIn("12.34", self.text("main"))
        self.open("formula")
        self.assertIn("part of it: third-21", self.text("#head .warn"))
        self.assertNotIn("45.6", self.text("main"))
        self.assertIn("LPIPS and FID mean nothing here", self.text("#head .loud"))

    def test_one_path_without_pictures(self):
        self.open("one_path")
        self.assertEqual(self.text("h1"), "1 cache path, 4 prompts")
        self.assertEqual(self.shown(), ["paths", "cache", "sources", "rows", "failed", "settings"])

    def test_the_foot_lists_the_starts_of_the_run(self):
        self.open("one_path")
        first, second = [p.text for p in self.all("#foot .start")]
        self.assertIn("Start 1 of 2, 2026-11-30T14:05:00Z: skv sample <b> in not known", first)
        self.assertIn("ranks: 3, by host: node1 2, node2 1;", first)
        self.assertIn("ranks: not known, by host: ;", second)
        self.open("measured")
        self.assertEqual(self.all("#foot .start"), [])

    def test_without_scripts_it_says_what_is_needed(self):
        self.browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
        try:
            self.open("measured")
            self.assertIn("Allow scripts", self.text("noscript"))
            self.assertEqual(self.shown(), [])
        finally:
            self.browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})

    # ------------------------------------------------------------------- what answers

    def test_sorting_sorts(self):
        self.open("measured")
        heads = self.all("#path-table thead th")
        tokens = next(h for h in heads if h.text.startswith("Tokens"))
        orders, said = [], []
        for _ in range(3):
            tokens.find_element(By.TAG_NAME, "button").click()
            orders.append(self.column("paths", 1))
            said.append(tokens.get_attribute("aria-sort"))
        self.assertEqual(orders, [["3", "7", "14"], ["14", "7", "3"], ["14", "7", "3"]])
        self.assertEqual(said, ["ascending", "descending", "none"])
        psnr = next(i for i, h in enumerate(heads) if h.text.startswith("PSNR"))
        heads[psnr].find_element(By.TAG_NAME, "button").click()
        self.assertEqual(self.column("paths", psnr), ["22.88*", "16.92", "\u2013"])

    def test_a_cell_says_its_number(self):
        self.open("measured")
        cell = self.all("#heat-maps svg")[1].find_element(
            By.CSS_SELECTOR, "[data-scale='2'][data-column='1']")
        self.browser.execute_async_script("""
            arguments[0].scrollIntoView({block: "center"}); // which hides a tip, at the next frame
            requestAnimationFrame(() => requestAnimationFrame(arguments[1]))""", cell)
        webdriver.ActionChains(self.browser).move_to_element(cell).perform()
        self.assertEqual(self.text("#tip"), "half-50, scale 2, layer 1: 7 of 14 tokens, room for 7")
        third = self.all("#heat-maps svg")[2]
        self.browser.execute_script("arguments[0].focus()", third)
        self.press(*[Keys.ARROW_DOWN] * 3)
        self.assertEqual(self.text("#tip"), "third-21, scale 2, layer 0: 3 of 14 tokens, room for 3")
        full = self.all("#heat-maps svg")[0]
        self.browser.execute_script("arguments[0].focus()", full)
        self.press(Keys.ARROW_RIGHT)
        self.assertEqual(self.text("#tip"), "full, scale 0, layer 0: 1 of 1 tokens")

    def test_a_layer_opens_its_heads(self):
        """Layer 1 of half-50, whose heads differ, is shown at first; a click and Enter choose."""
        self.open("by_head")
        heads = lambda: [r.get_attribute("data-tip").split(": ")[1] for r in self.all(
            "#heat-maps .heads rect[data-scale='2']")]
        self.assertEqual(len(self.all("#heat-maps .heads")), 1)
        self.assertEqual(self.text(".heads h4"), "Heads of layer 1")
        self.assertEqual(heads(), ["10 of 14 tokens, room for 10"] * 2 +
                         ["4 of 14 tokens, room for 4"] * 2)
        layers = self.all("#heat-maps svg")[1]
        layers.find_element(By.CSS_SELECTOR, "[data-scale='0'][data-column='0']").click()
        self.assertEqual(self.text(".heads h4"), "Heads of layer 0")
        self.assertEqual(heads(), ["7 of 14 tokens, room for 7"] * 4)
        self.browser.execute_script("arguments[0].focus()", layers)
        self.press(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT, Keys.ENTER)
        self.assertEqual(self.text(".heads h4"), "Heads of layer 1")
        self.assertTrue(self.find("#heads-note").is_displayed())
        self.assertEqual(self.text("#heads-left-out"), "The heads of third-21 would make this page "
                         "too large; run.h5 has them.")

    def test_equal_heads_are_not_shown(self):
        self.open("measured")
        self.assertEqual(self.all(".heads"), [])
        self.assertFalse(self.find("#heads-note").is_displayed())
        self.assertEqual(self.text("#heads-left-out"), "")

    def test_two_paths_are_compared(self):
        self.open("measured")
        figures = {r.find_element(By.TAG_NAME, "th").text: [d.text for d in r.find_elements(
            By.TAG_NAME, "td")] for r in self.all("#compare-figures tbody tr")}
        self.assertEqual(figures["Tokens a layer"], ["7", "3", "\u22124"])
        self.assertEqual(self.column("rows", 4), ["\u22123.00", "\u22129.00", "\u2013"])
        self.assertEqual(len(self.all("#compare-rows circle")), 2)
        Select(self.find("#path-a")).select_by_visible_text("full")
        tokens = self.all("#compare-figures tbody tr")[0]
        self.assertEqual([d.text for d in tokens.find_elements(By.TAG_NAME, "td")],
                         ["14", "3", "\u221211"])
        self.find("#swap").click()
        self.assertEqual(Select(self.find("#path-b")).first_selected_option.text, "full")
        Select(self.find("#metric")).select_by_visible_text("LPIPS")
        self.assertIn("LPIPS", self.text("#row-table thead"))

    def test_pictures_flick(self):
        self.open("measured")
        self.browser.execute_script(
            "document.querySelectorAll('#pick-list .shots button')[1].click()")
        image = self.find("#viewer-picture img")
        pressed = "#viewer-states [aria-pressed=true]"
        seen = [(image.get_attribute("alt"), image.get_attribute("src"))]
        self.press(Keys.SPACE)
        seen.append((image.get_attribute("alt"), image.get_attribute("src")))
        self.find("#viewer-picture").click()
        seen.append((image.get_attribute("alt"), image.get_attribute("src")))
        self.assertEqual([alt for alt, _ in seen], ["half-50", "full", "half-50"])
        self.assertEqual(seen[0], seen[2])
        self.assertNotEqual(seen[0][1], seen[1][1])
        self.press(Keys.ARROW_RIGHT)
        self.assertEqual(self.text(pressed), "difference \u00d7 4")
        self.press(Keys.SPACE)
        self.assertEqual(self.text(pressed), "half-50")
        self.press(Keys.ESCAPE)
        self.assertFalse(self.find("#viewer").is_displayed())

    def test_the_filter_filters(self):
        self.open("measured")
        shown = lambda: sum(p.is_displayed() for p in self.all("#pick-list .pick"))
        before = shown()
        self.find("#filter").send_keys("FOX red")
        self.assertEqual(self.column("rows", 1), ["a red fox"])
        self.assertEqual(self.column("failed", 1), [])
        self.assertEqual(self.text("#found"), "1 of 4")
        self.assertTrue(0 < shown() < before)
        self.find("#filter").clear()
        self.find("#filter").send_keys("id-b")
        self.assertEqual(self.column("rows", 0), ["id-b"])

    def test_everything_answers_to_the_keyboard_and_has_a_name(self):
        self.open("measured")
        self.assertEqual(self.browser.execute_script("""
            return [...document.querySelectorAll("button, a, select, input, summary")]
                .filter(e => e.getClientRects().length && (e.tabIndex < 0 ||
                    !(e.textContent.trim() || e.labels?.length || e.querySelector("img[alt]"))))
                .map(e => e.outerHTML)"""), [])
        self.assertEqual(self.browser.execute_script(
            "return document.querySelectorAll('th:not([scope]), img:not([alt])').length"), 0)

    # -------------------------------------------------------------- what it is made of

    def test_every_script_parses_by_itself(self):
        for script in sorted(SOURCES.glob("*.js")):
            with self.subTest(script.name):
                self.browser.execute_script("new Function(arguments[0])", script.read_text())

    def test_the_browser_knows_every_rule_and_property(self):
        """What a browser does not know it passes over without a word."""
        self.open("measured")
        style = re.sub(r"/\*.*?\*/", "", (SOURCES / "style.css").read_text(), flags=re.S)
        declarations = re.findall(r"[{;]\s*([-a-z0-9]+)\s*:\s*([^;{}]+?)(?: !important)?\s*(?=[;}])",
                                  style)
        self.assertGreater(len(declarations), 300)
        self.assertEqual(self.browser.execute_script(
            "return arguments[0].filter(([name, value]) => !CSS.supports(name, value))",
            declarations), [])
        self.assertEqual(self.browser.execute_script("""
            const count = rules => [...rules].reduce((n, r) => n + 1 + count(r.cssRules || []), 0);
            return count(document.styleSheets[0].cssRules)"""), style.count("{"))

    # ------------------------------------------------------------------- how it looks

    def test_it_fits_and_has_two_colour_schemes(self):
        background = {}
        for width in (1280, 390):
            for scheme in ("light", "dark"):
                for name in ("measured", "without_metrics", "by_head"):
                    self.open(name, width, scheme)
                    self.assertLessEqual(self.browser.execute_script(
                        "return document.documentElement.scrollWidth"), width)
                    self.screenshot(f"{name}-{width}-{scheme}", width)
                background[scheme] = self.find("body").value_of_css_property("background-color")
        self.assertNotEqual(background["light"], background["dark"])

    def screenshot(self, name, width):
        height = self.browser.execute_script("return document.documentElement.scrollHeight")
        shot = self.browser.execute_cdp_cmd("Page.captureScreenshot", {
            "captureBeyondViewport": True,
            "clip": {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}})
        (pages / f"{name}.png").write_bytes(base64.b64decode(shot["data"]))


def main():
    global pages
    if not BROWSER or not DRIVER:
        print("no chromium, or no chromedriver here")
        return 77
    program, folder = sys.argv[1:]
    pages = Path(folder) / "pages"
    shutil.rmtree(pages, ignore_errors=True)
    pages.mkdir(parents=True)
    subprocess.run([program, str(pages)], check=True, stdout=subprocess.DEVNULL)
    result = unittest.main(argv=sys.argv[:1], exit=False, verbosity=2).result
    return 0 if result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
