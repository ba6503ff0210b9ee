// SPDX-License-Identifier: MIT
'use strict';
const { run, makeWorkerUtils, Logger } = require('graphile-worker');

const logger = new Logger(() => () => {});

// What a peer has: add and addMany submit and wait for the answer; drain runs
// n jobs and gives what stops its workers; work runs f for each job.
exports.open = async url => {
	const utils = await makeWorkerUtils({
		connectionString: url, logger, maxPoolSize: 20,
	});
	await utils.migrate();

	// A batch over 1 is what its page on performance recommends for the
	// highest rate: a local queue of so many, and ends in batches, too.
	const start = (task, concurrency, batch) => run({
		connectionString: url, logger, concurrency,
		maxPoolSize: concurrency + 2, noHandleSignals: true,
		pollInterval: 1000, taskList: { task },
		...batch > 1 && { preset: { worker: {
			localQueue: { size: batch },
			completeJobBatchDelay: 0, failJobBatchDelay: 0,
		} } },
	});
	return {
		add: data => utils.addJob('task', data),
		addMany: many => utils.addJobs(many.map(
			payload => ({ identifier: 'task', payload }))),
		async drain(n, concurrency, batch) {
			let done;
			const all = new Promise(r => done = r);
			const w = await start(async () => {}, concurrency, batch);
			w.events.on('job:complete', () => {
				if (--n === 0)
					done();
			});
			await all;
			return w.stop.bind(w);
		},
		work: f => start(async () => f(), 1, 1),
	};
};
