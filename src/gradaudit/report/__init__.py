"""The report as one HTML file, sentences and tables made from tables; it draws nothing."""
