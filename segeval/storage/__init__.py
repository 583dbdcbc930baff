"""Files that lie in archives or in object stores: their names are listed, their bytes read."""
