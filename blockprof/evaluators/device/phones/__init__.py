"""Phones: networks of a folder, timed by a run-time's own benchmark program over adb."""
