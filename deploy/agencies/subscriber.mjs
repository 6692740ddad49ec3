// An agency's subscriber: node subscriber.mjs STREAM [PLACE IN THE STREAM TO READ AGAIN FROM]. See README.md.
import { jetstream } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";

const [stream, start] = process.argv.slice(2);
const { NATS_URL: servers, NATS_USER: agency, NATS_PASSWORD: pass } = process.env;
const known = new Map(); // better: in your database, with what you make of the events
const withdrawn = new Set();
const client = await connect({ servers, user: agency, pass });
const durable = await jetstream(client, { apiPrefix: `${stream}.API` }).consumers.get(stream, agency);

const readAgain = (place) =>
  client.request(`${stream}.API.CONSUMER.RESET.${stream}.${agency}`, JSON.stringify({ seq: place }));

if (start) await readAgain(Number(start));
for (;;) {
  let again = false;
  for await (const message of await durable.fetch({ max_messages: 100, expires: 5000 })) {
    const event = message.json();
    const { subject, data: { revision } } = event;
    if (event.type.endsWith(".withdrawn.v1") && event.data.events.some((id) => !withdrawn.has(id))) {
      event.data.events.forEach((id) => withdrawn.add(id));
      known.clear();
      again = true; // once this request is closed: it would take what is sent from the beginning, and drop it
      break;
    }
    const [newest, last] = known.get(subject) ?? ["", revision - 1];
    if (event.sequence > newest && !withdrawn.has(event.id)) {
      if (revision > last + 1) console.log("GAP", subject, "after", last);
      known.set(subject, [event.sequence, revision]);
      console.log(message.seq, event.type, subject, revision);
    }
    message.ack();
  }
  if (again) await readAgain(1);
}
