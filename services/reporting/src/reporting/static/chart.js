// Draws each [data-spec] as soon as it is on the page, and again when live.js has replaced it. The library
// comes when there is a chart to draw. Without scripts the table under each chart says the same.

let library = null;

function embed(address) {
  library ??= import(address);
  return library;
}

async function draw(place) {
  const { vegaEmbed } = await embed(place.dataset.library);
  const drawn = document.createElement("div");
  drawn.className = place.className;
  const width = place.clientWidth;
  // The page grows with the screen, so the chart does too.
  const scale = parseFloat(getComputedStyle(document.documentElement).fontSize) / 16;
  const spec = { ...JSON.parse(place.dataset.spec), width: width / scale };
  await vegaEmbed(drawn, spec, {
    actions: false,
    ast: true, // no code is made from strings, so the page's policy may forbid it
    defaultStyle: false,
    renderer: "svg",
    tooltip: false,
  });
  const svg = drawn.querySelector("svg");
  for (const side of ["width", "height"]) svg.setAttribute(side, svg.getAttribute(side) * scale);
  place.replaceChildren(...drawn.childNodes);
  place.dataset.drawn = width;
}

function drawAll(within) {
  for (const place of within.querySelectorAll("[data-spec]")) draw(place);
}

let resizing = 0;
addEventListener("resize", () => {
  clearTimeout(resizing);
  resizing = setTimeout(() => {
    for (const place of document.querySelectorAll("[data-drawn]")) {
      if (place.clientWidth !== Number(place.dataset.drawn)) draw(place);
    }
  }, 150);
});

document.addEventListener("live:replaced", (event) => drawAll(event.target));
drawAll(document);
