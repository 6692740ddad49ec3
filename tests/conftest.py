"""Tests run against real servers; the plugin is the kit's own."""

pytest_plugins = ["benvung.testing"]
