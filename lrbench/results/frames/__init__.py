"""The store as pandas frames.

read.py    reads it
names.py   names what is in it for people
columns/   tells what each column is
"""
