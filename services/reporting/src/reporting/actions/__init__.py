"""What people ask of reporting, one function per question, for the API, the page and the files alike."""
