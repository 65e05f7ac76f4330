// Streams one file with cncjs: starts its server, and does what its web page does.
// node streaming_cncjs.js NODE_MODULES PORT BAUD FILE CONTROLLER [check]
// Prints {lines, seconds, cpu_seconds, outcome}; seconds as its sender tells them.
"use strict";
const { spawn } = require("child_process");
const fs = require("fs");
const net = require("net");
const os = require("os");
const path = require("path");

const [modules, port, baud, file, controllerType, check] = process.argv.slice(2);
const io = require(path.join(modules, "socket.io-client"));
const home = fs.mkdtempSync(path.join(os.tmpdir(), "cncjs-"));
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

function freePort() {
  return new Promise((resolve) => {
    const one = net.createServer().listen(0, "127.0.0.1", () => {
      const { port: found } = one.address();
      one.close(() => resolve(found));
    });
  });
}

function cpuSeconds(pid) {
  const fields = fs.readFileSync(`/proc/${pid}/stat`, "latin1").split(") ")[1].split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

async function signIn(url) {
  for (let tries = 0; tries < 200; tries += 1) {
    try {
      const answer = await fetch(`${url}/api/signin`, { method: "POST" });
      return (await answer.json()).token;
    } catch {
      await sleep(100);
    }
  }
  throw new Error("the server does not answer");
}

async function run(server, url) {
  const token = await signIn(url);
  const socket = io(url, { query: { token } });
  await new Promise((resolve) => socket.on("startup", resolve));
  const opened = new Promise((resolve) => socket.on("serialport:open", resolve));
  socket.emit("open", port, { controllerType, baudrate: Number(baud) });
  await opened;
  await sleep(4000); // the firmware starts, and is asked for its settings
  if (check) {
    socket.emit("command", port, "gcode", "$C");
    await sleep(1000);
  }
  const before = cpuSeconds(server.pid);
  const ended = new Promise((resolve) =>
    socket.on("sender:status", (status) => status.finishTime > 0 && resolve(status)),
  );
  socket.emit("command", port, "gcode:load", "job", fs.readFileSync(file, "utf8"));
  await sleep(500);
  socket.emit("command", port, "gcode:start");
  const status = await ended;
  return {
    lines: status.received,
    seconds: (status.finishTime - status.startTime) / 1000,
    cpu_seconds: cpuSeconds(server.pid) - before,
    outcome: "finished",
  };
}

async function main() {
  const listening = await freePort();
  const program = path.join(modules, "cncjs", "bin", "cncjs");
  const words = ["-H", "127.0.0.1", "-p", String(listening), "-c", path.join(home, "rc.json")];
  const server = spawn(process.execPath, [program, ...words], { stdio: "ignore", cwd: home });
  const end = () => {
    server.kill("SIGKILL");
    fs.rmSync(home, { recursive: true, force: true });
  };
  process.on("SIGTERM", () => {
    end();
    process.exit(1);
  });
  try {
    console.log(JSON.stringify(await run(server, `http://127.0.0.1:${listening}`)));
  } finally {
    end();
  }
  process.exit(0);
}

main();
