"""Measures the product from outside: figures against truth (`eval`), times and memory (`bench`)."""
