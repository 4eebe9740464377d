"""Values and pure rules: hosts, controls, observations, findings, plans, runs. Standard library only."""
