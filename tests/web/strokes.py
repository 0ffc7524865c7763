"""Digits as strokes, each another way: slanted, turned, narrower, shaken."""
import math
import random


def arc(x, y, width, height, start, end, count=18):
    turns = [math.radians(start + (end - start) * i / count) for i in range(count + 1)]
    return [(x + width * math.cos(turn), y + height * math.sin(turn)) for turn in turns]


# In a square of 1 by 1, y downwards.
SHAPES = [
    [arc(.5, .5, .3, .5, -100, 265)],
    [[(.34, .2), (.54, 0), (.53, .5), (.52, 1)]],
    [[*arc(.5, .27, .32, .27, 190, 390), (.16, 1), (.86, .98)]],
    [[*arc(.46, .25, .32, .25, 205, 440), *arc(.45, .74, .36, .26, -80, 155)]],
    [[(.62, 0), (.1, .66), (.92, .66)], [(.66, .3), (.64, 1)]],
    [[(.82, 0), (.28, .02), (.22, .42), *arc(.46, .68, .36, .32, -110, 145)]],
    [[(.68, 0), (.34, .38), *arc(.5, .7, .29, .3, 205, 555)]],
    [[(.12, .02), (.86, 0), (.42, 1)]],
    [[*arc(.5, .24, .27, .24, 80, 440), *arc(.5, .74, .33, .26, -95, 265)]],
    [[*arc(.5, .29, .31, .29, 5, 355), (.8, .32), (.74, 1)]],
]


def digit(name, seed, side):
    """The strokes of a digit on a canvas of this size, each a list of points."""
    draw = random.Random(f"{name} {seed}")
    height = side * draw.uniform(.6, .8)
    slant, width = draw.uniform(-.15, .22), draw.uniform(.6, .85)
    turn, shake = draw.uniform(-.1, .1), .008 * height
    strokes = []
    for shape in SHAPES[name]:
        stroke = []
        for x, y in shape:
            x, y = ((x - .5) * width + (.5 - y) * slant) * height, (y - .5) * height
            stroke.append(
                (x * math.cos(turn) - y * math.sin(turn) + side / 2 + draw.gauss(0, shake),
                 x * math.sin(turn) + y * math.cos(turn) + side / 2 + draw.gauss(0, shake)))
        strokes.append(stroke)
    return strokes
