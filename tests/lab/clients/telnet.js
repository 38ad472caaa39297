// SPDX-License-Identifier: MIT
//
// A management client made from npm's telnet-openvpn, in the order of its own README: the log, the
// states, the release of the hold, and user name and password when they are asked for. It prints what
// the package makes of what it is told, a line each, until the connection ends.
//
//   node telnet.js FOLDER PORT USER PASSWORD    FOLDER has node_modules/telnet-openvpn in it
"use strict";
const path = require("path");
const [folder, port, username, password] = process.argv.slice(2);
const TelnetVPN = require(path.resolve(folder, "node_modules", "telnet-openvpn"));

const quoted = (text) => '"' + text.replace(/\\/g, "\\\\").replace(/"/g, '\\"') + '"';
const print = (line) => process.stdout.write(line.trimEnd() + "\n");
const vpn = new TelnetVPN();

vpn.on("connect", async () => {
  for (const command of ["log on all", "state on", "pid", "bytecount 1", "hold release"])
    await vpn.exec(command).catch(() => {}); // an answer that comes late is shown all the same
});
vpn.on("data", (seen) => {
  if (seen.state) print(">STATE:" + seen.state.join(","));
  else if (seen.password) {
    print(">PASSWORD:" + seen.password.join(","));
    if (seen.password[0].startsWith("Need 'Auth'"))
      vpn.authorize({ username: quoted(username), password: quoted(password) });
  } else if (seen.hold) print(">HOLD:");
  else if (seen.bytecount) print(">BYTECOUNT:" + seen.bytecount.join(","));
  else if (seen.pid) print("pid " + seen.pid);
  else if (seen.success) print("success" + seen.success);
});
vpn.on("log", () => {}); // it takes banner, prompts and the log's lines for the same
vpn.on("error", (error) => print("error: " + error));
vpn.on("end", () => vpn.destroy());
vpn.on("close", () => print("closed"));

// Its sending waits this long for what comes back; without negotiation it looks for no shell prompt.
vpn.connect({ port: Number(port), sendTimeout: 200, negotiationMandatory: false });
