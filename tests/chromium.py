"""The browser of the tests, the benchmark and the README's pictures."""

from __future__ import annotations

import os
import shutil

from playwright.sync_api import Browser, Playwright

# First the one without windows: it needs a fifth less of the processor for the same pages.
NAMES = (
    "chromium-headless-shell",
    "chrome-headless-shell",
    "chromium",
    "chromium-browser",
    "google-chrome",
)
PATH = os.environ.get("CHROMIUM") or next(
    filter(None, map(shutil.which, NAMES)), "/usr/bin/chromium"
)
# The pages of Chromium's own address bar are a process more for each window. The rest of this
# list is Playwright's: a browser that is told twice what to leave out hears the last one only.
FEATURES_OFF = (
    "WebUIOmniboxPopup,WebUIOmniboxAimPopup,AvoidUnnecessaryBeforeUnloadCheckSync,"
    "DestroyProfileOnBrowserClose,HttpsUpgrades,MediaRouter,PaintHolding,"
    "ThirdPartyStoragePartitioning,OptimizationHints,NetworkTimeServiceQuerying,AimEnabled,"
    "PreconnectToSearch"
)
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--autoplay-policy=no-user-gesture-required",
    f"--disable-features={FEATURES_OFF}",
]


def launch(playwright: Playwright) -> Browser:
    return playwright.chromium.launch(executable_path=PATH, args=FLAGS)
