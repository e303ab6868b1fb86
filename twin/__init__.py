"""The city in time: sensors, state, forecasts, scenarios, runs, jobs and the command line."""
