"""The pages: what is made of a result set for people to read, each file whole.

report.py      of one sweep: summary.csv, summary.md, tables/, figures/ and the page
comparison.py  of two: the page
content.py     what page and Markdown both tell, as text
html.py, markdown.py, latex.py
               the three ways to write it
explorer.py    every run, for the page's explorer
"""
