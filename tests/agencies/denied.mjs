// What the agency's client gets when it asks for more than its durable: one line for each question.
import { DeliverPolicy, jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";

const { NATS_URL: servers, NATS_USER: agency, NATS_PASSWORD: pass } = process.env;
const stream = process.argv[2];
const client = await connect({ servers, user: agency, pass, timeout: 1000 });

const tried = async (what, asking) => {
  try {
    await asking();
    console.log(what, "ANSWERED");
  } catch (error) {
    console.log(what, "denied:", error.message);
  }
};

for (const apiPrefix of ["$JS.API", `${stream}.API`]) {
  const manager = await jetstreamManager(client, { apiPrefix, checkAPI: false, timeout: 1000 });
  const spy = { durable_name: "spy", deliver_policy: DeliverPolicy.All };
  await tried("stream info", () => manager.streams.info(stream));
  await tried("message", () => manager.streams.getMessage(stream, { seq: 1 }).then(found));
  await tried("direct message", () => manager.direct.getMessage(stream, { seq: 1 }).then(found));
  await tried("new consumer", () => manager.consumers.add(stream, spy));
  await tried("another's consumer", () => manager.consumers.info(stream, "funding"));
  await tried("deletion of its consumer", () => manager.consumers.delete(stream, agency));
  await tried("purge", () => manager.streams.purge(stream));
  await tried("stream of its own", () => manager.streams.add({ name: "COPY", subjects: ["copy"] }));
  await tried("publishing", () => manager.jetstream().publish("households.household.registered.v1.64._", "{}"));
}
for (const subject of [">", "households.>", "restricted.>"]) {
  await tried(`listening to ${subject}`, async () => {
    for await (const _ of client.subscribe(subject, { timeout: 1000 })) break;
  });
}
const manager = await jetstreamManager(client, { apiPrefix: `${stream}.API`, checkAPI: false });
const own = await manager.consumers.info(stream, agency);
console.log("own consumer", own.num_pending);
await client.close();

function found(message) {
  if (message === null) throw new Error("no message");
  return message;
}
