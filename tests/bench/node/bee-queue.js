// SPDX-License-Identifier: MIT
'use strict';
const Queue = require('bee-queue');

exports.open = async path => {
	// Its page on performance: no events nor job objects that nobody needs.
	const lean = {
		redis: { path }, removeOnSuccess: true, storeJobs: false,
		getEvents: false, sendEvents: false,
	};
	const queue = new Queue('task', { ...lean, isWorker: false });
	await queue.ready();

	return {
		add: data => queue.createJob(data).save(),
		addMany: async many => {
			const errors = await queue.saveAll(
				many.map(data => queue.createJob(data)));
			if (errors.size > 0)
				throw [...errors.values()][0];
		},
		async drain(n, concurrency) {
			const w = new Queue('task', lean);
			await w.ready();
			await new Promise(done => {
				w.on('succeeded', () => {
					if (--n === 0)
						done();
				});
				w.process(concurrency, async () => {});
			});
			return () => w.close(1000);
		},
		async work(f) {
			const w = new Queue('task', lean);
			await w.ready();
			w.process(1, async () => f());
			return { stop: () => w.close() };
		},
	};
};
