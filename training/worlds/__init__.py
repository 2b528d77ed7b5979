"""The grammar of worlds: which things stand where, of what, in which light, seen by which camera."""
