"""The store as pandas frames: read.py reads it, names.py names what is in it for people, columns.py tells
what each column is.
"""
