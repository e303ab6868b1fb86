"""How the twin is seen from outside: logs, traces, figures for Prometheus, signs of life, objectives."""
