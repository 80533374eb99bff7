"""The pages in a real browser against a real server: by mouse, by keyboard, without scripts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.browser.chromium import NARROW, PATIENCE_SECONDS, PHONE, WIDE, Browser, OpenBrowser
from tests.conftest import Server, answers, run_command, wait_for

PUBLIC = ["/", "/models/iris", "/models/zombies", "/login", "/apidocs"]
GUARDED = ["/models/iris/versions", "/models/iris/versions/v1", "/models/iris/predictions"]
GUARDED += ["/models/iris/outliers"]

EXAMPLE = ("sepal_length_cm", "sepal_width_cm", "petal_length_cm", "petal_width_cm")


def go_through_votes(browser: Browser) -> None:
    """Ask, say right, take it back, say wrong, say what it really was."""
    browser.visit("/")
    browser.press("Iris")
    browser.fill("petal_length_cm", "5.6")
    browser.fill("petal_width_cm", "2.1")
    browser.press("Predict")
    browser.wait_for("Was it right?")
    assert browser.find(".said").text == "Iris-virginica"
    assert browser.find("[name='petal_length_cm']").get_attribute("value") == "5.6"

    browser.press("Right")
    browser.wait_for("Thank you. You said it was right: Iris-virginica.")
    browser.press("Undo")
    browser.wait_for("Taken back.")

    browser.press("Wrong")
    browser.wait_for("What was it really?")
    browser.find("[name='label'][value='Iris-versicolor']").click()
    browser.fill("comment", "The petals were striped.")
    browser.press("Tell it")
    browser.wait_for("You said it was wrong, and that it really was Iris-versicolor.")
    assert "The petals were striped." in browser.text


@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
def test_journey(open_browser: OpenBrowser, size: tuple[int, int]) -> None:
    browser = open_browser(size)

    go_through_votes(browser)

    assert browser.driver.current_url == f"{browser.url}/models/iris"
    assert browser.complaints() == []


def test_journey_without_scripts(open_browser: OpenBrowser) -> None:
    browser = open_browser(PHONE, scripts=False)

    go_through_votes(browser)

    assert browser.driver.current_url == f"{browser.url}/models/iris/feedback"
    browser.press("Another prediction")
    browser.wait_for("Ask it")


def test_journey_by_keyboard(open_browser: OpenBrowser) -> None:
    browser = open_browser()
    browser.visit("/")

    browser.type("\ue004", "\ue007")
    browser.tab_to("Iris")
    browser.type("\ue007")
    browser.wait_for("Ask it")
    browser.tab_to("petal_width_cm")
    browser.type("0.3", "\ue007")
    browser.wait_for("Was it right?")
    assert browser.focused == "The answer Iris-versicolor"

    browser.tab_to("Wrong")
    browser.type(" ")
    browser.wait_for("What was it really?")
    assert browser.focused == "Noted: wrong. Thank you."

    browser.tab_to("label")
    browser.type("\ue013")
    browser.tab_to("Tell it")
    browser.type("\ue007")
    browser.wait_for("You said it was wrong, and that it really was Iris-virginica.")
    browser.tab_to("Undo")
    browser.type("\ue007")
    browser.wait_for("Taken back.")
    assert browser.focused == "Taken back."


def test_wrong_value_is_named_beside_its_field(open_browser: OpenBrowser) -> None:
    browser = open_browser()
    browser.visit("/models/iris")
    browser.driver.execute_script(
        "const field = document.querySelector('[name=sepal_width_cm]');"
        "field.type = 'text'; field.value = 'wide';"
    )

    browser.press("Predict")
    browser.wait_for("One field needs another look")

    field = browser.find("[name='sepal_width_cm']")
    assert field.get_attribute("value") == "wide"
    assert field.get_attribute("aria-invalid") == "true"
    assert browser.focused_name == "sepal_width_cm"


WIDE_NAMES = [*(f"temp_{n}" for n in range(20)), *(f"motor_{n}" for n in range(19)), "speed"]


@pytest.fixture(scope="module")
def wide_server(
    start_shared_server: Callable[..., Server], tmp_path_factory: pytest.TempPathFactory
) -> Server:
    """A server with a model of forty features and twelve classes, named as people name them."""
    folder = tmp_path_factory.mktemp("wide")
    rows = [[(7 * row + 3 * place) % 31 for place in range(40)] for row in range(120)]
    lines = [",".join(map(str, [*row, f"kind {place % 12}"])) for place, row in enumerate(rows)]
    (folder / "wide.csv").write_text("\n".join([",".join([*WIDE_NAMES, "kind"]), *lines]))
    (folder / "wide.toml").write_text('[features.speed]\nlabel = "How fast it runs"\n')
    server = start_shared_server()
    options = ("--csv", str(folder / "wide.csv"), "--target", "kind", "--name", "wide")
    done = run_command(
        server.home,
        "train",
        *options,
        "--estimator",
        "tree",
        "--describe",
        str(folder / "wide.toml"),
    )
    assert done.returncode == 0, done.stderr
    wait_for(lambda: answers(f"{server.url}/models/wide"))
    return server


def test_field_of_a_long_form_is_searched_for_and_points_at_what_is_wrong(
    open_browser: OpenBrowser, wide_server: Server
) -> None:
    browser = open_browser(PHONE)
    browser.url = wide_server.url
    browser.visit("/models/wide")
    example = browser.find("[name='speed']").get_attribute("value")
    fields = "[...document.querySelectorAll('#fields [name]')]"
    shown = f"return {fields}.filter(one => one.checkVisibility()).map(one => one.name)"

    browser.find("#find-field").send_keys("FAST runs")
    browser.wait_for("1 of 40 fields matches.")
    assert browser.driver.execute_script(shown) == ["speed"]
    browser.fill("speed", "very")
    browser.press("Predict")
    browser.wait_for("One field needs another look")
    assert browser.focused_name == "speed"
    assert browser.find("[name='speed']").get_attribute("value") == "very"

    browser.find("#find-field").clear()
    browser.find("#find-field").send_keys("motor_1")
    browser.wait_for("10 of 40 fields match.")
    assert set(browser.driver.execute_script(shown)) >= {"speed", "motor_1", "motor_18"}
    browser.fill("speed", "1,5")
    browser.press("Predict")
    browser.wait_for("Was it right?")
    assert browser.find("#find-field").get_attribute("value") == "motor_1"
    assert browser.focused.startswith("The answer kind ")
    height = browser.driver.execute_script("return innerHeight")
    assert 0 <= browser.find("#answer-title").rect["y"] - browser.scrolled() < height / 2

    browser.visit("/models/wide")
    browser.wait_for("These are the values that you sent last in this tab.")
    assert browser.find("[name='speed']").get_attribute("value") == "1,5"
    browser.press("Back to the example")
    wait_for(lambda: browser.find("[name='speed']").get_attribute("value") == example)
    assert "sent last" not in browser.text
    assert browser.too_wide() == 0


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no-scripts"])
def test_row_is_pasted_and_the_truth_searched_for(
    open_browser: OpenBrowser, wide_server: Server, scripts: bool
) -> None:
    browser = open_browser(PHONE, scripts=scripts)
    browser.url = wide_server.url
    browser.visit("/models/wide")
    assert ("Find a field" in browser.text) is scripts

    browser.find(".paste summary").click()
    browser.fill("row", ";".join(["12,5"] * 39 + ["fast"]))
    browser.press("Fill in the form")
    browser.wait_for("40 of 40 fields are filled in from your row.")
    assert browser.find("[name='temp_3']").get_attribute("value") == "12.5"
    assert "1 to look at" in browser.text
    browser.fill("speed", "9")
    browser.press("Predict")
    browser.wait_for("Was it right?")

    said = browser.find(".said").text
    truth = next(f"kind {place}" for place in (11, 10) if f"kind {place}" != said)
    browser.press("Wrong")
    browser.wait_for("Find another (11 in all)")
    browser.fill("other", "kindly")
    browser.press("Tell it")
    browser.wait_for('No answer is called "kindly".')
    assert browser.find("#other").get_attribute("value") == "kindly"
    browser.fill("other", truth)
    browser.press("Tell it")
    browser.wait_for(f"You said it was wrong, and that it really was {truth}.")


def test_file_is_predicted_and_its_labels_are_sent(
    open_browser: OpenBrowser, tmp_path: Path
) -> None:
    rows = tmp_path / "häuser.csv"
    rows.write_text(f'plant,{",".join(EXAMPLE)}\n"two\nlines",5.1,3.5,1.4,0.2\nx,,,,\n')
    browser = open_browser()
    browser.keep_downloads_in(tmp_path)
    browser.visit("/models/iris")

    browser.find("#rows-file").send_keys(str(rows))
    browser.press("Predict the file")
    browser.wait_for("1 row predicted, 1 without an answer: the last column says why.")
    assert browser.focused == "Save häuser-predicted.csv"
    browser.press("Save häuser-predicted.csv")
    answer = tmp_path / "häuser-predicted.csv"
    # Chromium holds its place with an empty file until it has it whole.
    wait_for(lambda: answer.exists() and answer.stat().st_size, PATIENCE_SECONDS)
    answer.write_text(answer.read_text().replace("prediction,", "label,"))
    browser.find("#labels-file").send_keys(str(answer))
    browser.press("Send the labels")
    browser.wait_for("skipped: no label yet")

    assert browser.focused == "häuser-predicted.csv: 2 rows"
    assert "kept 1 skipped: no label yet 1" in browser.text
    browser.visit("/models/zombies")
    browser.find("#rows-file").send_keys(str(rows))
    browser.press("Predict the file")
    browser.wait_for("häuser.csv has no such column")
    assert browser.find("#rows-file").get_attribute("aria-invalid") == "true"


def test_double_click_votes_once(open_browser: OpenBrowser) -> None:
    from selenium.webdriver import ActionChains

    browser = open_browser()
    browser.visit("/models/iris")
    browser.press("Predict")
    browser.wait_for("Was it right?")

    ActionChains(browser.driver).double_click(browser.named("Right")).perform()
    browser.wait_for("You said it was right")

    assert "Thank you. You said it was right: Iris-versicolor." in browser.text


def test_broken_connection_loses_nothing_that_was_typed(open_browser: OpenBrowser) -> None:
    browser = open_browser()
    browser.visit("/models/iris")
    browser.fill("sepal_width_cm", "3.3")
    away = {"offline": True, "latency": 0, "downloadThroughput": 0, "uploadThroughput": 0}
    browser.driver.execute_cdp_cmd("Network.enable", {})
    browser.driver.execute_cdp_cmd("Network.emulateNetworkConditions", away)

    browser.press("Predict")
    browser.wait_for("That did not get through")

    assert browser.find("[name='sepal_width_cm']").get_attribute("value") == "3.3"


def test_sign_in_link_signs_in_and_leaves_the_address(
    open_browser: OpenBrowser, server: Server
) -> None:
    browser = open_browser()

    browser.visit(f"/login?next=/models/iris/versions#token={server.operator_token}")
    browser.wait_for("champion")

    assert browser.driver.current_url == f"{browser.url}/models/iris/versions"
    assert server.operator_token not in server.log.read_text()
    browser.driver.back()
    assert server.operator_token not in browser.driver.current_url


def test_sign_in_without_scripts(open_browser: OpenBrowser, server: Server) -> None:
    browser = open_browser(scripts=False)

    browser.visit("/models/iris/predictions")
    browser.fill("token", server.operator_token)
    browser.find("form button.main").click()
    browser.wait_for("Sign out")
    assert browser.driver.current_url == f"{browser.url}/models/iris/predictions"

    browser.press("Sign out")
    browser.wait_for("Sign in")


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_every_page_fits_and_the_console_is_silent(
    open_browser: OpenBrowser, server: Server, size: tuple[int, int]
) -> None:
    browser = open_browser(size)
    browser.sign_in(server.operator_token)

    for path in [*PUBLIC, *GUARDED]:
        browser.visit(path)
        assert (path, browser.complaints()) == (path, [])
        assert (path, browser.too_wide()) == (path, 0), browser.sticking_out()


def test_everything_that_can_be_touched_is_large_enough(open_browser: OpenBrowser) -> None:
    browser = open_browser(NARROW)
    browser.visit("/models/iris")
    browser.press("Predict")
    browser.wait_for("Was it right?")

    # What lies in a closed part has no size until it is laid out.
    browser.driver.execute_script(
        "document.querySelectorAll('details').forEach((one) => { one.open = true; })"
    )
    small = browser.driver.execute_script(
        "return [...document.querySelectorAll("
        "'button, select, main input:not(.check input), .check, header a, .quiet')]"
        ".filter((one) => one.type !== 'hidden' && one.getBoundingClientRect().height < 44)"
        ".map((one) => one.outerHTML)"
    )

    assert small == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_ground(open_browser: OpenBrowser, scheme: str) -> None:
    browser = open_browser()
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    browser.visit("/models/iris")
    browser.press("Predict")
    browser.wait_for("Was it right?")
    browser.press("Wrong")
    browser.wait_for("What was it really?")

    faint = browser.driver.execute_script(FAINT)

    assert faint == []


FAINT = """
const part = (value) => value <= 10.3 ? value / 3294.6 : ((value / 255 + 0.055) / 1.055) ** 2.4;
const light = ([red, green, blue]) =>
  0.2126 * part(red) + 0.7152 * part(green) + 0.0722 * part(blue) + 0.05;
const numbers = (colour) => colour.match(/[\\d.]+/g).map(Number);
const ground = (one) => {
  for (; one; one = one.parentElement) {
    const found = numbers(getComputedStyle(one).backgroundColor);
    if (found.length === 3 || found[3] === 1) return found;
  }
  return [255, 255, 255];
};
const isText = (node) => node.nodeType === 3 && node.data.trim();
return [...document.querySelectorAll("body *:not(.skip, meter)")]
  .filter((one) => [...one.childNodes].some(isText) && one.checkVisibility())
  .map((one) => {
    const text = light(numbers(getComputedStyle(one).color)), behind = light(ground(one));
    return [one.textContent.trim(), Math.max(text / behind, behind / text)];
  })
  .filter(([, contrast]) => contrast < 4.5);
"""
"""WCAG 2.1's contrast ratio of each text with the ground it stands on; AA asks for 4.5."""


def test_slider_moves_the_field_and_the_code_follows(open_browser: OpenBrowser) -> None:
    browser = open_browser(WIDE)
    browser.visit("/models/iris")
    browser.find("#code summary").click()

    browser.driver.execute_script(
        "const slider = document.querySelector('[data-slides=field-2]');"
        "slider.value = 6.2; slider.dispatchEvent(new Event('input', { bubbles: true }));"
    )

    assert browser.find("[name='petal_length_cm']").get_attribute("value") == "6.2"
    code = browser.find("#code-python")
    wait_for(lambda: '"petal_length_cm": 6.2,' in code.text, PATIENCE_SECONDS, lambda: code.text)
    browser.fill("petal_length_cm", "1.7")
    assert browser.find("[data-slides=field-2]").get_attribute("value") == "1.7"
    wait_for(lambda: '"petal_length_cm": 1.7,' in code.text, PATIENCE_SECONDS, lambda: code.text)
    browser.press("Copy")
    browser.wait_for("Copied")
    assert browser.complaints() == []
