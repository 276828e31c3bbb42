"""The model: frozen definitions of everything an author can write, and the facts they meet."""
