"""What breaks the way from a feed file to a sealed decision? Attacks with a count and a seed, and short ones as tests.

python -m tests.torture.feeds --count 100000 --seed 1 --jobs 2     hostile feed files and manifests
python -m tests.torture.kill --times 200 --seed 1                  kill -9 at any moment of a whole run
python -m tests.torture.leaks                                      who can be read from what was written
"""
