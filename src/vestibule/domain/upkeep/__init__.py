"""What a running server looks after by itself, in the background."""
