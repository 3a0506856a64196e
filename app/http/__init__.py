"""What every response shares: request id, forms, headers, hosts, CORS, problems, static files.

It may import ``config`` alone.
"""
