// Reckons ages by the reader's clock, so that a page that nobody makes anew grows old by itself. Nothing here ever makes a level better
// than it was when the page was made.
(() => {
  'use strict';

  const LEVELS = ['ok', 'warning', 'critical', 'expired'];
  const WORDS = { ok: 'Fresh', warning: 'Warning', critical: 'Critical', expired: 'Expired' };
  const HEADLINES = {
    ok: 'Fresh: all required feeds',
    warning: 'Warning: feeds are growing old',
    critical: 'Critical: feeds are missing or too old',
    expired: 'Expired: do not rely on scan results',
    unknown: 'Unknown: the clock of this computer is wrong',
  };
  const MEANINGS = {
    ok: 'Scan results rest on current feeds, for what the feeds cover.',
    warning: 'Scan results may lack vulnerabilities that became known since: an image without findings may still be vulnerable.',
    expired: 'Scan results must not be relied upon: an image without findings may still be vulnerable.',
    unknown: 'Nothing can be said of the ages of the feeds: an image without findings may still be vulnerable.',
  };
  MEANINGS.critical = MEANINGS.warning;

  // Two good clocks may differ by this much.
  const TOLERANCE = 5 * 60 * 1000;
  const DAY = 24 * 60 * 60 * 1000;

  const body = document.body;
  const made = Number(body.dataset.made);
  const all = (selector, within) => Array.from((within || document).querySelectorAll(selector));
  const worse = (a, b) => (LEVELS.indexOf(b) > LEVELS.indexOf(a) ? b : a);

  function ageText(ms) {
    const minutes = Math.max(0, Math.floor(ms / 60000));
    const days = Math.floor(minutes / 1440);
    const hours = Math.floor(minutes / 60) % 24;
    return days > 0 ? `${days} d ${hours} h` : hours > 0 ? `${hours} h ${minutes % 60} min` : `${minutes} min`;
  }

  function agoText(ms) {
    return ms < -TOLERANCE ? 'in the future' : ms < 60000 ? 'just now' : `${ageText(ms)} ago`;
  }

  function utc(ms) {
    return new Date(ms).toISOString().slice(0, 16).replace('T', ' ') + ' UTC';
  }

  function setText(element, text) {
    if (element && element.textContent !== text) {
      element.textContent = text;
    }
  }

  function setLevel(element, key, word) {
    element.classList.forEach((name) => {
      if (name.startsWith('lv-') && name !== 'lv-' + key) {
        element.classList.remove(name);
      }
    });
    element.classList.add('lv-' + key);
    const use = element.querySelector('use');
    if (use) {
      use.setAttribute('href', '#s-' + key);
    }

    if (word) {
      setText(element.querySelector('.word'), word);
    }
  }

  function sourceLevel(row, least) {
    let level = row.dataset.level;
    const after = (since, name) => least - since >= Number(row.dataset[name]);
    if (row.dataset.captured) {
      const captured = Number(row.dataset.captured);
      level = worse(level, after(captured, 'expire') ? 'expired' : after(captured, 'critical') ? 'critical' : after(captured, 'warn') ? 'warning' : 'ok');
    } else if (row.dataset.since && after(Number(row.dataset.since), 'expire')) {
      level = 'expired';
    }

    return level;
  }

  function tickSource(row, least) {
    if (row.dataset.captured) {
      const age = least - Number(row.dataset.captured);
      const text = age < -TOLERANCE ? 'unknown' : ageText(age);
      setText(row.querySelector('.agetext'), text);
      const share = Math.min(1, Math.max(0, age / (Number(row.dataset.expire) * 1.25)));
      const bar = row.querySelector('.bar');
      bar.querySelector('.fill').setAttribute('width', String(Math.round(share * 20000) / 100));
      bar.setAttribute('aria-label', bar.getAttribute('aria-label').replace(/^Age [^:]*:/, `Age ${text}:`));
    }

    if (!row.dataset.level) {
      return null; // not required here
    }

    const level = sourceLevel(row, least);
    setLevel(row.querySelector('.badge'), level, WORDS[level]);
    return level;
  }

  function tickVerdict(verdict, least, behind) {
    const rows = all('tr.source[data-level]');
    const levels = new Map();
    all('tr.source').forEach((row) => {
      const level = tickSource(row, least);
      if (level) {
        levels.set(row, level);
      }
    });

    let level = verdict.dataset.floor;
    levels.forEach((one) => { level = worse(level, one); });
    const key = behind ? 'unknown' : level;
    setLevel(verdict, key);
    setText(verdict.querySelector('.headline'), HEADLINES[key]);
    setText(verdict.querySelector('.meaning'), MEANINGS[key]);
    const good = behind ? 0 : Array.from(levels.values()).filter((one) => one === 'ok').length;
    setText(verdict.querySelector('.tally'), `${good} of ${rows.length} required source${rows.length === 1 ? ' is' : 's are'} fresh.`);
    const until = verdict.querySelector('.until');
    if (until) {
      until.hidden = level !== 'ok';
    }

    const grown = rows.filter((row) => levels.get(row) !== row.dataset.level);
    const since = document.getElementById('since');
    since.hidden = grown.length === 0;
    if (grown.length > 0) {
      document.getElementById('todo').hidden = false;
      setText(since, `Since this page was made, ${grown.map((row) => `${row.dataset.name} (${WORDS[levels.get(row)].toLowerCase()})`).join(', ')} `
        + 'passed a threshold. Run Save-ClairFeed outside and bring its bundle in with Import-ClairFeed, or open a newer page.');
    }

    document.title = (key === 'ok' ? '' : `${key.toUpperCase()}: `) + body.dataset.title;
  }

  function tick() {
    const now = Date.now();
    const behind = made - now > TOLERANCE;
    const least = Math.max(now, made);
    const clock = document.getElementById('clock');
    clock.hidden = !behind;
    if (behind) {
      setText(clock, `The clock of this computer says ${utc(now)}, but this page was made at ${utc(made)}. One of the two clocks is wrong: `
        + 'the ages shown are the least that they can be.');
    }

    all('[data-ago]').forEach((ago) => setText(ago, behind ? '' : agoText(least - Number(ago.dataset.ago))));
    const old = document.getElementById('old');
    if (old) {
      old.hidden = least - made < DAY;
      setText(old, `This page is ${ageText(least - made)} old. It knows of nothing that was brought in since it was made.`);
    }

    const verdict = document.getElementById('verdict');
    if (verdict) {
      tickVerdict(verdict, least, behind);
    }

    if (document.querySelector('.image')) {
      tickImages(least, behind);
    }
  }

  // A good verdict ends when a feed that it rests on has grown old; any other stays what it is.
  function tickImages(least, behind) {
    let turned = false;
    all('.image').forEach((image) => {
      const data = image.dataset;
      if (data.verdict === 'covered' && data.turns && least >= Number(data.turns)) {
        data.verdict = 'stale';
        turned = true;
      }

      const badge = image.matches('.row, .detail') ? image.querySelector('.badge') : null;
      if (badge && data.verdict === 'stale') {
        setLevel(badge, 'warning', 'Stale');
      } else if (badge && data.verdict === 'covered') {
        setLevel(badge, behind ? 'unknown' : 'ok', 'Covered');
      }
    });

    all('tr.need').forEach((need) => {
      if (need.dataset.level === 'ok') {
        const old = need.dataset.turns && least >= Number(need.dataset.turns);
        setLevel(need.querySelector('.badge'), behind ? 'unknown' : old ? 'warning' : 'ok', old ? 'stale' : 'fresh');
      }
    });

    const single = document.getElementById('image');
    if (single) {
      const good = single.dataset.verdict === 'covered';
      const ended = single.querySelector('.until') && !good;
      if (behind) {
        setLevel(single, 'unknown');
        setText(single.querySelector('.headline'), HEADLINES.unknown);
      } else if (ended) {
        setLevel(single, 'warning');
        setText(single.querySelector('.headline'), 'Stale: feeds, or Clair\'s report, have grown old since this page was made');
        setText(single.querySelector('.meaning'), 'What became known since is not in the findings: a clean result may be false.');
      } else if (good) {
        setLevel(single, 'ok');
      }

      document.title = (good && !behind ? '' : `${(behind ? 'unknown' : single.dataset.verdict).toUpperCase()}: `) + body.dataset.title;
    }

    const fleet = document.getElementById('images');
    if (fleet) {
      const rows = all('.image.row');
      const bad = rows.filter((row) => row.dataset.verdict !== 'covered').length;
      const total = Number(fleet.dataset.total);
      if (behind) {
        setLevel(fleet, 'unknown');
        setText(fleet.querySelector('.headline'), HEADLINES.unknown);
      } else if (bad === 0 && total > 0) {
        setLevel(fleet, 'ok');
      } else if (turned) {
        if (fleet.classList.contains('lv-ok')) {
          setLevel(fleet, 'warning');
        }

        setText(fleet.querySelector('.headline'), `${bad.toLocaleString('en')} of ${total.toLocaleString('en')} image${total === 1 ? '' : 's'}: a clean result may be false`);
        setText(fleet.querySelector('.meaning'), 'Since this page was made, feeds or reports have grown old.');
      }

      if (turned) {
        list.apply();
      }
    }
  }

  // The list of images: a page at a time, by name and by verdict. Without the script all of it stands there.
  const list = (() => {
    const SIZE = 100;
    const rows = all('.image.row');
    const controls = document.getElementById('controls');
    if (!controls) {
      return { apply() {} };
    }

    const filter = document.getElementById('filter');
    const chips = all('.chip', controls);
    const previous = document.getElementById('previous');
    const next = document.getElementById('next');
    let page = 0;

    function apply() {
      const text = filter.value.trim().toLowerCase();
      const counts = {};
      rows.forEach((row) => { counts[row.dataset.verdict] = (counts[row.dataset.verdict] || 0) + 1; });
      chips.forEach((chip) => setText(chip.querySelector('.count'), (counts[chip.dataset.verdict] || 0).toLocaleString('en')));

      // A verdict that has no button of its own, because the page was made before anything had it, is always shown.
      const off = new Set(chips.filter((chip) => chip.getAttribute('aria-pressed') === 'false').map((chip) => chip.dataset.verdict));
      const shown = rows.filter((row) => !off.has(row.dataset.verdict) && (text === '' || row.firstElementChild.textContent.toLowerCase().includes(text)));
      const pages = Math.max(1, Math.ceil(shown.length / SIZE));
      page = Math.min(Math.max(page, 0), pages - 1);
      const visible = new Set(shown.slice(page * SIZE, (page + 1) * SIZE));
      rows.forEach((row) => { row.hidden = !visible.has(row); });
      setText(document.getElementById('shown'), shown.length === rows.length ? `${rows.length.toLocaleString('en')} images` : `${shown.length.toLocaleString('en')} of ${rows.length.toLocaleString('en')} images`);
      document.getElementById('pager').hidden = pages === 1;
      setText(document.getElementById('page'), `Page ${page + 1} of ${pages}`);
      previous.disabled = page === 0;
      next.disabled = page === pages - 1;
    }

    filter.addEventListener('input', () => { page = 0; apply(); });
    chips.forEach((chip) => chip.addEventListener('click', () => {
      chip.setAttribute('aria-pressed', String(chip.getAttribute('aria-pressed') === 'false'));
      page = 0;
      apply();
    }));
    previous.addEventListener('click', () => { page -= 1; apply(); });
    next.addEventListener('click', () => { page += 1; apply(); });
    all('.chip.lv-ok use').forEach((use) => use.setAttribute('href', '#s-ok'));
    controls.hidden = rows.length < 2;
    apply();
    return { apply };
  })();

  document.documentElement.classList.add('live');
  tick();
  setInterval(tick, 30000);
  document.addEventListener('visibilitychange', tick);
})();
