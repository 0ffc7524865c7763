'use strict';
/* An example of each digit, written by hand for this page. */
const digits = (() => {
  /* Lines through points x, y, x, y, ... in a square of 100 by 100. */
  const EXAMPLES = [
    [[58, 14, 44, 15, 33, 24, 27, 39, 26, 56, 30, 72, 39, 84, 51, 87, 63, 82, 71, 69, 75, 52,
      73, 35, 66, 21, 56, 14]],
    [[45, 24, 54, 13, 53, 32, 52, 52, 50, 71, 49, 88]],
    [[29, 31, 33, 20, 44, 13, 57, 14, 67, 22, 68, 35, 61, 49, 49, 62, 37, 74, 28, 85, 42, 83,
      57, 84, 74, 85]],
    [[30, 20, 42, 13, 57, 14, 66, 23, 64, 35, 54, 44, 44, 47, 57, 49, 68, 57, 71, 70, 64, 81,
      51, 87, 38, 86, 27, 78]],
    [[43, 12, 37, 28, 30, 43, 25, 57, 41, 56, 58, 55, 77, 54], [62, 30, 60, 47, 58, 66, 57, 88]],
    [[70, 14, 53, 15, 36, 16, 34, 30, 31, 45, 43, 41, 57, 43, 68, 52, 71, 65, 65, 78, 53, 86,
      39, 87, 27, 80]],
    [[63, 12, 51, 20, 40, 34, 32, 50, 30, 66, 35, 79, 46, 87, 59, 85, 69, 76, 70, 64, 62, 55,
      50, 54, 39, 60, 32, 69]],
    [[26, 17, 42, 16, 58, 16, 75, 15, 67, 31, 58, 49, 50, 67, 44, 87]],
    [[65, 23, 55, 14, 42, 15, 34, 25, 37, 37, 49, 46, 62, 56, 69, 69, 65, 81, 53, 87, 40, 84,
      33, 73, 38, 60, 50, 50, 62, 40, 68, 30, 64, 21]],
    [[67, 30, 60, 17, 47, 13, 35, 20, 31, 33, 37, 45, 49, 49, 61, 43, 68, 31, 68, 46, 66, 61,
      61, 75, 55, 88]],
  ];

  /* The direction of a curve in point i of a line; none at its ends and at corners. */
  function direction(line, i) {
    const [x0, y0, x, y, x1, y1] = line.slice(i - 2, i + 4);
    const corner = (x - x0) * (x1 - x) + (y - y0) * (y1 - y) <
      0.35 * Math.hypot(x - x0, y - y0) * Math.hypot(x1 - x, y1 - y);
    return i < 2 || i + 3 >= line.length || corner ? [0, 0] : [(x1 - x0) / 2, (y1 - y0) / 2];
  }

  /* A line through the same points, with curves between them (Hermite's). */
  function smooth(line) {
    const PARTS = 6, points = [];
    for (let i = 0; i + 3 < line.length; i += 2) {
      const [from, to] = [direction(line, i), direction(line, i + 2)];
      for (let part = 0; part < PARTS; part++) {
        const t = part / PARTS, s = 1 - t;
        for (const axis of [0, 1])
          points.push(s * s * (1 + 2 * t) * line[i + axis] + s * s * t * from[axis] +
                      t * t * (3 - 2 * t) * line[i + 2 + axis] - t * t * s * to[axis]);
      }
    }
    return [...points, ...line.slice(-2)];
  }

  return {
    names: EXAMPLES.map((_, digit) => digit),
    /* The lines of a digit in a square of this size. */
    draw: (digit, size) => EXAMPLES[digit].map((line) =>
      smooth(line).map((value) => value * size / 100)),
  };
})();
