"""calibration_page.py SKV DATA FOLDER: the page of a calibration of the tiny model, opened from
disk in headless Chromium. Page and screenshots are left in FOLDER/pages. Exit status 77: no browser
here.
"""

import shutil
import subprocess
import sys
import unittest
from pathlib import Path

import report_page
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select

LAYERS = 4


class CalibrationPage(report_page.Page):
    """What report_page.Page opens and looks at, with cases of its own: page_..."""

    def setUp(self):
        self.open("calibration")

    def data(self, what):
        return self.browser.execute_script(f"return data.{what}")

    def choose(self, select, text):
        Select(self.find(f"#{select}")).select_by_visible_text(text)

    def page_has_all_sections(self):
        self.assertEqual(self.shown(), ["drafters", "maps", "curves", "stability"])
        self.assertEqual(self.text("h1"), "tiny_f16, 256 \u00d7 256")
        self.assertIn("3 pictures, 64 queries", self.text("#lead"))
        self.assertEqual(self.column("drafters", 0), ["10 %", "20 %"])
        self.assertEqual(self.column("drafters", 1), ["27", "54"])

    def page_outlines_the_drafters_of_the_chosen_budget(self):
        for i, percent in enumerate(["10 %", "20 %"]):
            self.choose("budget", percent)
            drafters = self.data(f"budgets[{i}].drafter")
            tips = [r.get_attribute("data-tip") for r in self.all("#layer-map rect.drafter")]
            want = [f"scale {si + 1}, layer {layer}:" for si, row in enumerate(drafters)
                    for layer, is_one in enumerate(row) if is_one]
            self.assertEqual([t[:t.index(":") + 1] for t in tips], want)
            self.assertIn(", drafter", tips[0])
            self.assertEqual(len(self.all("#z-curve circle.s1")), len(want))

    def page_shows_heads_of_the_layer_that_is_chosen(self):
        self.assertFalse(self.find("#head-card").is_displayed())
        self.choose("figure", "Attention on the current map (CAR)")
        cells = self.all("#layer-map rect")
        self.assertEqual(len(cells), LAYERS * len(self.data("schedule")))
        cells[LAYERS + 2].click()
        self.assertTrue(self.find("#head-card").is_displayed())
        self.assertIn("heads of layer 2", self.text("#head-title"))
        self.assertEqual(self.text("#source-title"), "Where layer 2 looks")
        value = self.data("current_ratio[0][1][2]")
        tip = self.all("#head-map rect")[len(value)].get_attribute("data-tip")
        self.assertEqual(tip, f"scale 2, head 0: {float(f'{value[0]:.3g}'):g}")

    def page_is_walked_by_keys(self):
        self.find("#layer-map svg").send_keys(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT, Keys.ARROW_RIGHT,
                                              Keys.ARROW_RIGHT)
        self.assertIn("layer 3", self.text("#tip"))
        self.find("#layer-map svg").send_keys(Keys.ENTER)
        self.assertEqual(self.text("#source-title"), "Where layer 3 looks")

    def page_draws_stability(self):
        self.assertEqual(len(self.all("#size-curve circle")),
                         len(self.data("budgets[0].prompts")))
        names = [e.text for e in self.find("#choices").find_elements(By.CLASS_NAME, "name")]
        self.assertEqual(names[:2], ["K' 4", "K' 1%"])
        self.assertIn("unconditional rows", names)

    def page_fits_narrow_and_wide_screens(self):
        for width in (1280, 400):
            for scheme in ("light", "dark"):
                self.open("calibration", width, scheme)
                self.choose("figure", "Column variance")
                self.assertLessEqual(self.browser.execute_script(
                    "return document.documentElement.scrollWidth"), width)
                self.screenshot(f"calibration-{width}-{scheme}", width)


def main():
    skv, data, folder = sys.argv[1:]
    if not report_page.BROWSER or not report_page.DRIVER:
        print("no chromium, or no chromedriver here")
        return 77
    work = Path(folder)
    shutil.rmtree(work, ignore_errors=True)
    (work / "pages").mkdir(parents=True)
    (work / "prompts.txt").write_text("a cat\na red house\na dog on a hill\n")
    subprocess.run([skv, "calibrate", "--transformer", "formula:tiny_f16", "--vae",
                    "formula:tiny_f16", "--t5", f"{data}/tiny_t5", "--resolution", "0.06M",
                    "--prompts", str(work / "prompts.txt"), "--top", "4,1%", "--percent", "10,20",
                    "--threads", "2", "--out", str(work / "calibration")],
                   check=True, stdout=subprocess.DEVNULL)
    shutil.copy(work / "calibration" / "calibration.html", work / "pages")
    report_page.pages = work / "pages"
    loader = unittest.TestLoader()
    loader.testMethodPrefix = "page_"
    suite = loader.loadTestsFromTestCase(CalibrationPage)
    return 0 if unittest.TextTestRunner(verbosity=2).run(suite).wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
