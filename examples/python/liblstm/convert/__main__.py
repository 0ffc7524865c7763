"""python3 -m liblstm.convert MODEL OUT."""
from liblstm.convert import main

if __name__ == "__main__":
    main()
