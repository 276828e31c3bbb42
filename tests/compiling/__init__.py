"""What the tests of the compiler share: three models with their rows, a database to run statements in, golden files."""
