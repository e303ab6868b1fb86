"""The state of any asset at any time: from readings, lamp programs, forecasts and flood runs."""
