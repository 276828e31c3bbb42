"""How fields are answered: arguments and selection set in, Arrow out, JSON written by column."""
