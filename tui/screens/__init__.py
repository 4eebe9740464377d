"""What fills the terminal: each screen owns its state and talks to the console."""
