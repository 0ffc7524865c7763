'use strict';
(() => {
  const PEN = 18, ROWS = 28, CLASSES = 10, STEP = 14, SMALL_STEP = 4, REPLAY = 700;
  const RESULT = {answer: 0, blank: 1, several: 2, failed: 3};
  const $ = (id) => document.getElementById(id);
  const canvas = $('canvas'), image = $('image'), map = $('map'), rows = $('rows');
  const examples = document.querySelector('.examples');
  const calm = matchMedia('(prefers-reduced-motion: reduce)');

  let network = null;        /* the exports of WebAssembly */
  let side = 280;            /* of the canvas, in its own units */
  let strokes = [];          /* what is drawn: arrays of x, y, x, y, ... */
  let past = [];             /* earlier drawings, for undo */
  let inverted = false;
  let pointer = null;        /* of the stroke that is being drawn */
  let pen = {x: 140, y: 140, down: false, shown: false};
  let answer = null;         /* the probabilities after each row */
  let frame = 0;             /* of the replay */

  const percent = (p) => p > 0.995 && p < 1 ? '>99%' : p > 0 && p < 0.005 ? '<1%' :
    `${Math.round(100 * p)}%`;

  /* Texts and tables ------------------------------------------------------------------- */

  function say(digit, verdict, detail, kind) {
    $('digit').textContent = digit;
    $('verdict').textContent = verdict;
    $('detail').textContent = detail;
    $('answer').className = kind;
  }

  function best(p) {
    const order = [...p.keys()].sort((a, b) => p[b] - p[a]);
    return [order[0], order[1]];
  }

  function makeBars() {
    for (let digit = 0; digit < CLASSES; digit++) {
      const row = $('bars').tBodies[0].insertRow();
      const name = document.createElement('th');
      name.scope = 'row';
      name.textContent = digit;
      const cell = document.createElement('td');
      const track = document.createElement('div'), fill = document.createElement('div');
      track.className = 'track';
      fill.className = 'fill';
      track.append(fill);
      const text = document.createElement('span');
      text.className = 'percent';
      text.textContent = '–';
      const bar = document.createElement('div');
      bar.className = 'bar';
      bar.append(track, text);
      cell.append(bar);
      row.append(name, cell);
    }
  }

  function showBars(p) {
    const [first] = p ? best(p) : [-1];
    [...$('bars').tBodies[0].rows].forEach((row, digit) => {
      row.className = digit === first ? 'best' : '';
      row.querySelector('.fill').style.width = `${p ? 100 * p[digit] : 0}%`;
      row.querySelector('.percent').textContent = p ? percent(p[digit]) : '–';
    });
  }

  /* What the network sees -------------------------------------------------------------- */

  function showImage(pixels) {
    const context = image.getContext('2d');
    const to = context.createImageData(ROWS, ROWS);
    for (let i = 0; i < ROWS * ROWS; i++)
      to.data.set([pixels[i], pixels[i], pixels[i], 255], 4 * i);
    context.putImageData(to, 0, 0);
  }

  /* The image up to a row is bright, and the map has the rows up to it. */
  function showRow(count) {
    const context = map.getContext('2d');
    context.clearRect(0, 0, CLASSES, ROWS);
    showImage(answer.image.map((value, i) => i < count * ROWS ? value : value * 0.35));
    context.fillStyle = getComputedStyle(document.body).getPropertyValue('--best');
    for (let row = 0; row < count; row++)
      answer.rows[row].forEach((p, digit) => {
        context.globalAlpha = p;
        context.fillRect(digit, row, 1, 1);
      });
    const [first] = best(answer.rows[count - 1]);
    showBars(answer.rows[count - 1]);
    rows.value = count;
    $('count').textContent = count;
    $('caption').textContent = count === ROWS ? 'Probability of each digit' :
      `Probability of each digit after ${count} of ${ROWS} rows`;
    rows.setAttribute('aria-valuetext', `${count} of ${ROWS} rows: ${first}, ` +
      percent(answer.rows[count - 1][first]));
  }

  function showNothing() {
    answer = null;
    cancelAnimationFrame(frame);
    showBars(null);
    for (const view of [image, map])
      view.getContext('2d').clearRect(0, 0, view.width, view.height);
    image.setAttribute('aria-label', 'No picture yet');
    $('caption').textContent = 'Probability of each digit';
    $('count').textContent = '0';
    $('time').textContent = '';
    rows.disabled = $('replay').disabled = true;
  }

  function replay() {
    cancelAnimationFrame(frame);
    if (!answer)
      return;
    if (calm.matches) {
      showRow(ROWS);
      return;
    }
    const start = performance.now();
    const next = (now) => {
      const count = Math.min(ROWS, 1 + Math.floor(ROWS * Math.max(0, now - start) / REPLAY));
      showRow(count);
      if (count < ROWS)
        frame = requestAnimationFrame(next);
    };
    showRow(1);
    frame = requestAnimationFrame(next);
  }

  /* Reading ---------------------------------------------------------------------------- */

  function text(address) {
    const bytes = new Uint8Array(network.memory.buffer, address);
    return new TextDecoder().decode(bytes.subarray(0, bytes.indexOf(0)));
  }

  function sayAnswer(p) {
    const [first, second] = best(p);
    if (p[first] < network.page_sure())
      say(first, `Perhaps ${first}, but I am not sure.`,
          `${first} has ${percent(p[first])}, ${second} has ${percent(p[second])}.`, 'unsure');
    else
      say(first, `I read ${first}.`, p[first] > 0.995 ? 'Sure to more than 99%.' :
          `Sure to ${percent(p[first])}; the next, ${second}, has ${percent(p[second])}.`, '');
  }

  function takeAnswer() {
    const all = new Float64Array(network.memory.buffer, network.page_probabilities(),
                                 ROWS * CLASSES);
    answer = {
      image: new Uint8Array(network.memory.buffer, network.page_image(), ROWS * ROWS).slice(),
      rows: Array.from({length: ROWS}, (_, row) =>
        all.slice(row * CLASSES, (row + 1) * CLASSES)),
    };
    const [first] = best(answer.rows[ROWS - 1]);
    image.setAttribute('aria-label', `Your drawing as 28 by 28 pixels, read as ${first}`);
    rows.disabled = $('replay').disabled = false;
  }

  function fill() {
    network.page_clear();
    for (const line of strokes)
      for (let i = 0; i === 0 || i + 3 < line.length; i += 2) {
        const to = i + 3 < line.length ? i + 2 : i;
        network.page_line(line[i], line[i + 1], line[to], line[to + 1], PEN);
      }
  }

  /* Whether all of the drawing is little more than a dot of the pen. */
  function isTiny() {
    const span = (axis) => {
      const places = strokes.flatMap((line) => line.filter((_, i) => i % 2 === axis));
      return places.reduce((a, b) => Math.max(a, b)) - places.reduce((a, b) => Math.min(a, b));
    };
    return Math.max(span(0), span(1)) < 1.5 * PEN;
  }

  function read() {
    if (!network)
      return;
    const start = performance.now();
    showNothing();
    if (strokes.length === 0) {
      say('?', 'The drawing area is empty.', 'Draw a digit from 0 to 9.', '');
      return;
    }
    fill();
    const result = isTiny() ? RESULT.blank : network.page_read(inverted);
    if (result === RESULT.answer) {
      takeAnswer();
      sayAnswer(answer.rows[ROWS - 1]);
      $('time').textContent =
        `Read in ${(performance.now() - start).toFixed(1)} milliseconds.`;
      replay();
    } else if (result === RESULT.several) {
      say('?', 'I see more than one digit.',
          'Draw one digit alone, with strokes that touch, or take one back with Undo.',
          'unsure');
    } else if (result === RESULT.blank) {
      say('?', 'I see no digit yet.', 'The mark is too small: draw a larger one.', 'unsure');
    } else {
      say('!', 'The network failed.', text(network.page_why()), 'trouble');
    }
  }

  /* Drawing ---------------------------------------------------------------------------- */

  function paint() {
    const wide = Math.max(1, Math.round(canvas.clientWidth * devicePixelRatio));
    if (canvas.width !== wide)
      canvas.width = canvas.height = wide;
    const context = canvas.getContext('2d');
    context.setTransform(wide / side, 0, 0, wide / side, 0, 0);
    context.fillStyle = inverted ? '#101215' : '#ffffff';
    context.fillRect(0, 0, side, side);
    context.strokeStyle = inverted ? '#ffffff' : '#15181c';
    context.lineCap = context.lineJoin = 'round';
    context.lineWidth = PEN;
    for (const line of strokes) {
      context.beginPath();
      context.moveTo(line[0], line[1]);
      for (let i = 0; i < line.length; i += 2)
        context.lineTo(line[i], line[i + 1]);
      context.stroke();
    }
    if (pen.shown)
      paintPen(context);
  }

  function paintPen(context) {
    context.lineWidth = 2;
    context.strokeStyle = pen.down ? '#d4351c' : '#5a8fd6';
    context.beginPath();
    context.arc(pen.x, pen.y, PEN / 2 + 2, 0, 2 * Math.PI);
    context.moveTo(pen.x - PEN, pen.y);
    context.lineTo(pen.x + PEN, pen.y);
    context.moveTo(pen.x, pen.y - PEN);
    context.lineTo(pen.x, pen.y + PEN);
    context.stroke();
  }

  function enable() {
    $('undo').disabled = past.length === 0;
    $('clear').disabled = strokes.length === 0;
  }

  /* Another drawing; the one before it can come back. */
  function change(drawing) {
    past.push(strokes);
    strokes = drawing;
    enable();
  }

  function begin(x, y) {
    change([...strokes, [x, y]]);
    paint();
  }

  function extend(x, y) {
    const line = strokes[strokes.length - 1];
    if (line[line.length - 2] !== x || line[line.length - 1] !== y)
      line.push(x, y);
  }

  function undo() {
    if (past.length === 0)
      return;
    strokes = past.pop();
    pen.down = false;
    pointer = null;
    enable();
    paint();
    read();
  }

  function clear() {
    if (strokes.length === 0)
      return;
    pen.down = false;
    pointer = null;
    change([]);
    paint();
    read();
  }

  function invert() {
    inverted = !inverted;
    $('invert').setAttribute('aria-pressed', inverted);
    paint();
    if (strokes.length)
      read();
  }

  function example(digit) {
    change(digits.draw(digit, side));
    paint();
    read();
  }

  /* Pointers: mouse, pen, finger. A second finger does not draw. */

  function place(event) {
    const box = canvas.getBoundingClientRect();
    return [(event.clientX - box.left) * side / box.width,
            (event.clientY - box.top) * side / box.height];
  }

  canvas.addEventListener('pointerdown', (event) => {
    if (pointer !== null || !event.isPrimary || event.button !== 0)
      return;
    event.preventDefault();
    canvas.focus({preventScroll: true, focusVisible: false});
    canvas.setPointerCapture(event.pointerId);
    pointer = event.pointerId;
    pen.down = pen.shown = false;
    begin(...place(event));
  });

  canvas.addEventListener('pointermove', (event) => {
    if (event.pointerId !== pointer)
      return;
    /* Positions between two frames, where the browser has them. */
    const events = event.getCoalescedEvents ? event.getCoalescedEvents() : [];
    for (const one of events.length ? events : [event])
      extend(...place(one));
    paint();
  });

  function lift(event) {
    if (event.pointerId !== pointer)
      return;
    pointer = null;
    read();
  }
  canvas.addEventListener('pointerup', lift);
  canvas.addEventListener('pointercancel', lift);

  /* Keys: a pen that arrows move. */

  const MOVES = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1]};

  function tellPen(what) {
    const at = (value) => Math.round(100 * value / side);
    $('pen').textContent = `${what}, ${at(pen.x)}% from the left, ${at(pen.y)}% from the top`;
  }

  function movePen(direction, small) {
    const step = small ? SMALL_STEP : STEP, end = side - PEN / 2;
    pen.x = Math.min(end, Math.max(PEN / 2, pen.x + direction[0] * step));
    pen.y = Math.min(end, Math.max(PEN / 2, pen.y + direction[1] * step));
    if (pen.down)
      extend(pen.x, pen.y);
    tellPen(pen.down ? 'Drawing' : 'Pen up');
  }

  function switchPen() {
    pen.down = !pen.down;
    tellPen(pen.down ? 'Pen down' : 'Pen up');
    if (pen.down)
      begin(pen.x, pen.y);
    else
      read();
  }

  canvas.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || pointer !== null)
      return;
    if (MOVES[event.key])
      movePen(MOVES[event.key], event.shiftKey);
    else if (event.key === ' ' || event.key === 'Enter')
      switchPen();
    else if (event.key === 'Delete' || event.key === 'Backspace')
      clear();
    else
      return;
    event.preventDefault();
    pen.shown = true;
    paint();
  });

  canvas.addEventListener('blur', () => {
    const drawing = pen.down;
    pen.down = pen.shown = false;
    paint();
    if (drawing)
      read();
  });

  document.addEventListener('keydown', (event) => {
    if ((event.ctrlKey || event.metaKey) && !event.shiftKey && event.key === 'z') {
      event.preventDefault();
      undo();
    }
  });

  $('undo').addEventListener('click', undo);
  $('clear').addEventListener('click', clear);
  $('invert').addEventListener('click', invert);
  $('replay').addEventListener('click', replay);
  rows.addEventListener('input', () => {
    cancelAnimationFrame(frame);
    if (answer)
      showRow(Number(rows.value));
  });
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
    if (answer)
      showRow(Number(rows.value));
  });
  new ResizeObserver(paint).observe(canvas);

  /* Start ------------------------------------------------------------------------------ */

  function decode(id) {
    return Uint8Array.from(atob($(id).textContent), (c) => c.charCodeAt(0));
  }

  /* The system that the C library asks: no environment, no files. */
  function system(module, memory) {
    const NO_FILE = 8;
    const known = {
      environ_get: () => 0,
      environ_sizes_get(count, size) {
        const view = new DataView(memory().buffer);
        view.setUint32(count, 0, true);
        view.setUint32(size, 0, true);
        return 0;
      },
    };
    const functions = {};
    for (const {module: from, name} of WebAssembly.Module.imports(module)) {
      functions[from] = functions[from] || {};
      functions[from][name] = known[name] || (() => NO_FILE);
    }
    return functions;
  }

  async function start() {
    const module = await WebAssembly.compile(decode('wasm'));
    let exported = null;
    const instance = await WebAssembly.instantiate(
      module, system(module, () => exported.memory));
    exported = instance.exports;
    exported._initialize();
    const model = decode('model'), address = exported.page_reserve(model.length);
    if (!address)
      throw new Error('not enough memory');
    new Uint8Array(exported.memory.buffer).set(model, address);
    network = exported;
    if (!exported.page_open(address, model.length)) {
      const why = text(exported.page_why());
      network = null;
      throw new Error(why);
    }
    side = exported.page_side();
    warm();
  }

  /* Reads an example, so that the browser has compiled everything before the first stroke. */
  function warm() {
    strokes = digits.draw(8, side);
    fill();
    network.page_read(false);
    strokes = [];
  }

  function makeExamples() {
    digits.names.forEach((digit) => {
      const button = document.createElement('button');
      button.type = 'button';
      button.textContent = digit;
      button.setAttribute('aria-label', `Example of ${digit}`);
      button.disabled = true;
      button.addEventListener('click', () => example(digit));
      examples.append(button);
    });
  }

  makeBars();
  makeExamples();
  enable();
  paint();
  start().then(() => {
    for (const button of examples.children)
      button.disabled = false;
    read();
    document.documentElement.dataset.ready = 'yes';
  }, (error) => {
    say('!', 'The network did not start.', String(error.message || error) +
        (typeof WebAssembly === 'undefined' ? ' This browser has no WebAssembly.' : ''),
        'trouble');
    document.documentElement.dataset.ready = 'no';
  });
  /* For tests, and for those who look into the page. */
  window.page = {get network() { return network; }, get answer() { return answer; }};
})();
