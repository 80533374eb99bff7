"""What people bring in files, or paste: read row by row, predicted, judged, kept as history.

batches     a file is predicted, each row a prediction that can be judged
truths      a file of true labels judges
history     traffic that was logged elsewhere comes in once; `marks` know it again
champion    the champion scores rows of a log
pasted      one row out of a spreadsheet or of an API call
"""
