// SPDX-License-Identifier: MIT
// The load that fr-bench puts on a manager, put on a job queue from npm.
//
// node main.js PEER URL submit JOBS CALLERS BATCH
// node main.js PEER URL drain JOBS CONCURRENCY BATCH
// node main.js PEER URL both JOBS CALLERS CONCURRENCY
// node main.js PEER URL latency JOBS
//
// Prints jobs a second; for latency p50 and p99 in microseconds from the
// submit, then both from the answer. A peer is a file here that exports
// open(url): see graphile-worker.js. What is measured has been done before,
// with 2,000 jobs, so that the code is compiled.
'use strict';

const data = n => ({
	n, note: 'abcdefghijklmnopqrstuvwxyz'.repeat(3).slice(0, 77),
});
const jobs = n => Array.from({ length: n }, (_, i) => data(i));
const seconds = () => Number(process.hrtime.bigint()) / 1e9;
const sleep = ms => new Promise(done => setTimeout(done, ms));

// Callers that submit at once, each waiting for its answer.
async function submit(peer, n, callers, batch) {
	let left = n;
	async function caller() {
		while (left > 0) {
			const now = Math.min(batch, left);
			left -= now;
			if (batch > 1)
				await peer.addMany(jobs(now));
			else
				await peer.add(data(left));
		}
	}
	await Promise.all(Array.from({ length: callers }, caller));
}

const rate = {
	async submit(peer, n, callers, batch) {
		await submit(peer, 2000, callers, batch);
		const t = seconds();
		await submit(peer, n, callers, batch);
		return n / (seconds() - t);
	},
	async drain(peer, n, concurrency, batch) {
		await submit(peer, 2000, 1, 1000);
		await (await peer.drain(2000, concurrency, batch))();
		await submit(peer, n, 1, 1000);
		const t = seconds();
		const stop = await peer.drain(n, concurrency, batch);
		const took = seconds() - t;
		await stop();
		return n / took;
	},
	async both(peer, n, callers, concurrency) {
		async function once(n) {
			const drained = peer.drain(n, concurrency, 1);
			const t = seconds();
			await submit(peer, n, callers, 1);
			const stop = await drained;
			const took = seconds() - t;
			await stop();
			return n / took;
		}
		await once(500);
		return once(n);
	},
};

async function latency(peer, n) {
	const sent = [], answered = [], started = [];
	let arrived;
	const worker = await peer.work(() => {
		started.push(seconds());
		arrived();
	});
	await sleep(300);
	for (let i = 0; i < n + 50; i++) {
		const there = new Promise(done => arrived = done);
		sent.push(seconds());
		await peer.add(data(i));
		answered.push(seconds());
		await there;
		await sleep(5); // the worker waits again by then
	}
	await worker.stop();
	const out = [];
	for (const from of [sent, answered]) {
		const us = started.slice(50)
			.map((t, i) => Math.max(0, t - from[i + 50]) * 1e6)
			.sort((a, b) => a - b);
		out.push(us[n >> 1], us[Math.floor(n * 0.99)]);
	}
	return out.map(v => v.toFixed(0)).join(' ');
}

async function main([name, url, mode, ...counts]) {
	const peer = await require(`./${name}.js`).open(url);
	const [n, ...rest] = counts.map(Number);
	if (mode === 'latency')
		console.log(await latency(peer, n));
	else
		console.log((await rate[mode](peer, n, ...rest)).toFixed(0));
	process.exit(0); // a connection more or less
}

main(process.argv.slice(2)).catch(e => {
	console.error(e);
	process.exit(1);
});
