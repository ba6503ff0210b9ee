// SPDX-License-Identifier: MIT
'use strict';
const { Queue, Worker } = require('bullmq');

exports.open = async path => {
	const connection = { path, maxRetriesPerRequest: null };
	const queue = new Queue('task', { connection });
	const opts = { removeOnComplete: true };
	await queue.waitUntilReady();

	return {
		add: data => queue.add('task', data, opts),
		addMany: many => queue.addBulk(many.map(
			data => ({ name: 'task', data, opts }))),
		async drain(n, concurrency) {
			const w = new Worker('task', async () => {}, {
				connection, concurrency,
			});
			await new Promise(done => w.on('completed', () => {
				if (--n === 0)
					done();
			}));
			return () => w.close();
		},
		async work(f) {
			const w = new Worker('task', async () => f(), { connection });
			await w.waitUntilReady();
			return { stop: () => w.close() };
		},
	};
};
