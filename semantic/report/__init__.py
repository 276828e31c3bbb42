"""Reports: answer rows of funnels and retentions → the numbers a reader asked for. Pure; runs nothing."""
