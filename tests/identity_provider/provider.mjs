// An OpenID Connect provider on loopback for the tests: whoever names an account of the table is let in.
// node provider.mjs PORT REDIRECT_URI — it signs with new keys at every start and prints its address when it listens.
import { generateKeyPairSync, randomBytes } from "node:crypto";
import Provider from "oidc-provider";

const [port, redirect] = process.argv.slice(2);
const issuer = `http://127.0.0.1:${port}`;
const people = {
  an: { name: "Nguyễn Văn Ân", preferred_username: "an", groups: ["engineers", "others"], wards: ["31117"] },
  binh: { name: "Bình", preferred_username: "binh", groups: ["strangers"] },
};
const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const key = { ...privateKey.export({ format: "jwk" }), kid: randomBytes(8).toString("hex"), use: "sig", alg: "RS256" };
const provider = new Provider(issuer, {
  clients: [
    {
      client_id: "city-twin",
      client_secret: "a secret of the tests alone",
      redirect_uris: [redirect],
      post_logout_redirect_uris: [new URL("/", redirect).href],
    },
  ],
  claims: { openid: ["sub", "groups", "wards"], profile: ["name", "preferred_username"], email: ["email"] },
  cookies: { keys: [randomBytes(16).toString("hex")] },
  jwks: { keys: [key] },
  findAccount: (_ctx, id) => (people[id] ? { accountId: id, claims: () => ({ sub: id, ...people[id] }) } : undefined),
});
const server = provider.listen(Number(port), "127.0.0.1", () => console.log(issuer));
process.on("SIGTERM", () => server.close(() => process.exit(0)) && server.closeAllConnections());
